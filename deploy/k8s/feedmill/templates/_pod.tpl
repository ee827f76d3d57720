{{/* The restricted Pod Security Standard. */}}
{{- define "feedmill.podSecurity" -}}
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
fsGroup: 10001
seccompProfile: {type: RuntimeDefault}
{{- end }}

{{- define "feedmill.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end }}

{{- define "feedmill.mounts" -}}
- {name: tmp, mountPath: /tmp}
{{- if .Values.temporal.tls.existingSecret }}
- {name: temporal-tls, mountPath: /etc/feedmill/temporal, readOnly: true}
{{- end }}
{{- end }}

{{/* Takes (dict "root" $ "size" of /tmp). */}}
{{- define "feedmill.volumes" -}}
- {name: tmp, emptyDir: {medium: Memory, sizeLimit: {{ .size }}}}
{{- with .root.Values.temporal.tls.existingSecret }}
- name: temporal-tls
  secret: {secretName: {{ . }}, defaultMode: 0440}
{{- end }}
{{- end }}

{{/* What is the same for every pod of ours. */}}
{{- define "feedmill.podBasics" -}}
automountServiceAccountToken: false
enableServiceLinks: false
{{- with .Values.image.pullSecrets }}
imagePullSecrets: {{- toYaml . | nindent 2 }}
{{- end }}
securityContext: {{- include "feedmill.podSecurity" . | nindent 2 }}
{{- end }}

{{/* Where a pod may run. */}}
{{- define "feedmill.placement" -}}
{{- with .role.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with .role.nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .role.tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .role.affinity }}
affinity: {{- toYaml . | nindent 2 }}
{{- end }}
{{- if .role.topologySpread }}
topologySpreadConstraints:
{{- range list "kubernetes.io/hostname" "topology.kubernetes.io/zone" }}
  - maxSkew: 1
    topologyKey: {{ . }}
    whenUnsatisfiable: ScheduleAnyway
    labelSelector: {matchLabels: {{ include "feedmill.selector" $ | fromYaml | toJson }}}
{{- end }}
{{- end }}
{{- end }}

{{/* The pod of a role. Takes (dict "root" $ "name" role "role" its values). */}}
{{- define "feedmill.pod" -}}
metadata:
  labels:
    {{- include "feedmill.podLabels" . | nindent 4 }}
    {{- with .role.labels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  annotations:
    checksum/settings: {{ include (print .root.Template.BasePath "/settings.yaml") .root | sha256sum }}
    {{- with .role.annotations }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  serviceAccountName: {{ include "feedmill.fullname" .root }}-{{ .name }}
  {{- include "feedmill.podBasics" .root | nindent 2 }}
  terminationGracePeriodSeconds: {{ add (int .role.preStopSeconds) (int .role.drainSeconds) 10 }}
  {{- include "feedmill.placement" . | nindent 2 }}
  containers:
    - name: {{ .name }}
      image: {{ include "feedmill.image" (dict "root" .root "service" .name "digest" .role.digest) }}
      imagePullPolicy: {{ .root.Values.image.pullPolicy }}
      envFrom: [{configMapRef: {name: {{ include "feedmill.fullname" .root }}-settings}}]
      env:
        {{- include "feedmill.secretVariables" .root | nindent 8 }}
        {{- include "feedmill.roleVariables" . | nindent 8 }}
        - {name: FEEDMILL_TELEMETRY_HOST, value: 0.0.0.0}
        - {name: FEEDMILL_TELEMETRY_PORT, value: "9400"}
        - {name: FEEDMILL_DRAIN_SECONDS, value: {{ .role.drainSeconds | quote }}}
        {{- range $name, $value := .role.env }}
        - {name: {{ $name }}, value: {{ $value | quote }}}
        {{- end }}
      ports:
        {{- if not .role.isWorker }}
        - {name: http, containerPort: 8420}
        {{- end }}
        - {name: telemetry, containerPort: 9400}
      # Alive is about the process alone: an idle worker, or one whose Temporal is away, is not killed.
      startupProbe: {httpGet: {path: /healthz, port: telemetry}, periodSeconds: 2, timeoutSeconds: 3, failureThreshold: 60}
      livenessProbe:
        httpGet: {path: /healthz, port: telemetry}
        periodSeconds: 10
        timeoutSeconds: 5
        failureThreshold: 3
        # What hangs does not drain either.
        terminationGracePeriodSeconds: 10
      # Ready is about being of use: Temporal and Postgres answer, the schema is the one we know.
      readinessProbe: {httpGet: {path: /readyz, port: telemetry}, periodSeconds: 5, timeoutSeconds: 5, failureThreshold: 2}
      {{- if gt (int .role.preStopSeconds) 0 }}
      lifecycle: {preStop: {exec: {command: [sleep, {{ .role.preStopSeconds | quote }}]}}}
      {{- end }}
      resources: {{- toYaml .role.resources | nindent 8 }}
      securityContext:
        {{- include "feedmill.containerSecurity" .root | nindent 8 }}
        {{- with .role.seccompProfile }}
        seccompProfile: {{- toYaml . | nindent 10 }}
        {{- end }}
      volumeMounts:
        {{- include "feedmill.mounts" .root | nindent 8 }}
        {{- with .role.volumeMounts }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
  volumes:
    {{- include "feedmill.volumes" (dict "root" .root "size" .role.tmpSize) | nindent 4 }}
    {{- with .role.volumes }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
{{- end }}
