{{/* Names. Kept short: the controllers below make longer ones of them. */}}
{{- define "feedmill.name" -}}
{{ .Values.nameOverride | default .Chart.Name | trunc 30 | trimSuffix "-" }}
{{- end }}

{{- define "feedmill.fullname" -}}
{{- $name := include "feedmill.name" . -}}
{{- if .Values.fullnameOverride }}{{ .Values.fullnameOverride | trunc 30 | trimSuffix "-" }}
{{- else if contains $name .Release.Name }}{{ .Release.Name | trunc 30 | trimSuffix "-" }}
{{- else }}{{ printf "%s-%s" .Release.Name $name | trunc 30 | trimSuffix "-" }}{{ end }}
{{- end }}

{{/* Takes (dict "root" $ "name" role). */}}
{{- define "feedmill.selector" -}}
app.kubernetes.io/name: {{ include "feedmill.name" .root }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .name }}
{{- end }}

{{- define "feedmill.labels" -}}
{{ include "feedmill.selector" . }}
app.kubernetes.io/part-of: feedmill
app.kubernetes.io/version: {{ include "feedmill.tag" .root | trunc 63 | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" }}
{{- end }}

{{/* Of pods: without what changes though they do not. */}}
{{- define "feedmill.podLabels" -}}
{{ include "feedmill.selector" . }}
app.kubernetes.io/part-of: feedmill
app.kubernetes.io/version: {{ include "feedmill.tag" .root | trunc 63 | quote }}
{{- end }}

{{/* The head of every object. Takes (dict "root" $ "name" role), and "suffix" for its name. */}}
{{- define "feedmill.metadata" -}}
name: {{ include "feedmill.fullname" .root }}-{{ .suffix | default .name }}
namespace: {{ .root.Release.Namespace }}
labels: {{- include "feedmill.labels" . | nindent 2 }}
{{- end }}

{{- define "feedmill.tag" -}}
{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}

{{/* Takes (dict "root" $ "service" whose image "digest" it if it is known). */}}
{{- define "feedmill.image" -}}
{{- $image := .root.Values.image -}}
{{- $name := printf "%s-%s" $image.repository .service -}}
{{- if $image.registry }}{{ $name = printf "%s/%s" $image.registry $name }}{{ end -}}
{{- if .digest }}{{ $name }}@{{ .digest }}{{ else }}{{ $name }}:{{ include "feedmill.tag" .root }}{{ end }}
{{- end }}

{{/* What a version of workers is called: the tag, or the beginning of the digest that wins over it. */}}
{{- define "feedmill.buildId" -}}
{{- if .digest }}{{ .digest | trimPrefix "sha256:" | trunc 16 }}
{{- else }}{{ regexReplaceAll "[^a-zA-Z0-9._-]" (include "feedmill.tag" .root) "-" | trunc 63 }}{{ end }}
{{- end }}

{{/* The port of an address: the one that it names, or that of its scheme. */}}
{{- define "feedmill.tracingPort" -}}
{{- regexFind ":[0-9]+$" (urlParse .).host | trimPrefix ":" | default (ternary "443" "80" (hasPrefix "https:" .)) -}}
{{- end }}
