{{/* Every role that runs, merged over podDefaults, as YAML by name. */}}
{{- define "feedmill.roles" -}}
{{- $roles := dict -}}
{{- range $name, $worker := .Values.workers }}
{{- $role := mergeOverwrite (deepCopy $.Values.podDefaults) (deepCopy ($worker | default dict)) (dict "name" $name "isWorker" true) }}
{{- if $role.enabled }}{{ $_ := set $roles $name $role }}{{ end }}
{{- end }}
{{- $gateway := mergeOverwrite (deepCopy .Values.podDefaults) (deepCopy .Values.gateway) (dict "name" "gateway" "isWorker" false) }}
{{- if $gateway.enabled }}{{ $_ := set $roles "gateway" $gateway }}{{ end }}
{{- toYaml $roles }}
{{- end }}

{{/* One setting as the text of its variable: lists with commas, whole numbers without an exponent. */}}
{{- define "feedmill.settingText" -}}
{{- if kindIs "slice" . }}{{ join "," . }}
{{- else if and (kindIs "float64" .) (eq (floor .) .) }}{{ int64 . }}
{{- else }}{{ . }}{{ end }}
{{- end }}

{{/* values.settings as variables; what is empty is left to the process's own default. */}}
{{- define "feedmill.settings" -}}
{{- range $name, $value := .Values.settings }}
{{- $text := "" }}
{{- if not (kindIs "invalid" $value) }}{{ $text = include "feedmill.settingText" $value }}{{ end }}
{{- if ne $text "" }}
FEEDMILL_{{ $name | snakecase | upper }}: {{ $text | quote }}
{{- end }}
{{- end }}
{{- end }}

{{/* Where Temporal is and who we are to it, in the words of Temporal's own tools. */}}
{{- define "feedmill.temporalVariables" -}}
TEMPORAL_ADDRESS: {{ .Values.temporal.address | quote }}
TEMPORAL_NAMESPACE: {{ .Values.temporal.namespace | quote }}
{{- with .Values.temporal.tls }}
{{- if .enabled }}
TEMPORAL_TLS: "true"
{{- with .serverName }}
TEMPORAL_TLS_SERVER_NAME: {{ . | quote }}
{{- end }}
{{- if .existingSecret }}
TEMPORAL_TLS_CLIENT_CERT_PATH: /etc/feedmill/temporal/tls.crt
TEMPORAL_TLS_CLIENT_KEY_PATH: /etc/feedmill/temporal/tls.key
{{- if .ca }}
TEMPORAL_TLS_SERVER_CA_CERT_PATH: /etc/feedmill/temporal/ca.crt
{{- end }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{/* Secrets that every process needs, by reference. */}}
{{- define "feedmill.secretVariables" -}}
- name: FEEDMILL_DATABASE_URL
  valueFrom: {secretKeyRef: {name: {{ .Values.database.existingSecret }}, key: {{ .Values.database.key }}}}
{{- with .Values.temporal.apiKey }}
{{- if .existingSecret }}
- name: TEMPORAL_API_KEY
  valueFrom: {secretKeyRef: {name: {{ .existingSecret }}, key: {{ .key }}}}
{{- end }}
{{- end }}
{{- with .Values.temporal.payloadKeys }}
{{- if .existingSecret }}
- name: FEEDMILL_PAYLOAD_KEYS
  valueFrom: {secretKeyRef: {name: {{ .existingSecret }}, key: {{ .key }}}}
{{- end }}
{{- end }}
{{- with .Values.tracing }}
{{- if .existingSecret }}
- name: OTEL_EXPORTER_OTLP_HEADERS
  valueFrom: {secretKeyRef: {name: {{ .existingSecret }}, key: {{ .key }}}}
{{- end }}
{{- end }}
{{- end }}

{{/* What only one role needs beside them. */}}
{{- define "feedmill.roleVariables" -}}
{{- if eq .role.name "gateway" }}
- name: FEEDMILL_TOKEN
  valueFrom: {secretKeyRef: {name: {{ .role.token.existingSecret }}, key: {{ .role.token.key }}}}
{{- with .role.codecToken }}
{{- if .existingSecret }}
- name: FEEDMILL_CODEC_TOKEN
  valueFrom: {secretKeyRef: {name: {{ .existingSecret }}, key: {{ .key }}}}
{{- end }}
{{- end }}
- {name: FEEDMILL_GATEWAY_HOST, value: 0.0.0.0}
- {name: FEEDMILL_GATEWAY_PORT, value: "8420"}
{{- end }}
{{- if and (eq .role.name "distillation") .root.Values.model.existingSecret }}
- name: FEEDMILL_MODEL_API_KEY
  valueFrom: {secretKeyRef: {name: {{ .root.Values.model.existingSecret }}, key: {{ .root.Values.model.key }}}}
{{- end }}
{{- if and .role.versioned .root.Values.versioning.enabled (not .root.Values.versioning.controller) }}
- {name: TEMPORAL_DEPLOYMENT_NAME, value: {{ .root.Values.versioning.deploymentName | default (printf "%s/%s-%s" .root.Release.Namespace (include "feedmill.fullname" .root) .role.name) | quote }}}
- {name: TEMPORAL_WORKER_BUILD_ID, value: {{ include "feedmill.buildId" (dict "root" .root "digest" .role.digest) | quote }}}
{{- end }}
{{- end }}
