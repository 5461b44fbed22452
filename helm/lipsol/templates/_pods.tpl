{{/* What pods have in common: hardened as Pod Security's `restricted` asks, and a little further. */}}

{{- define "lipsol.podSecurity" -}}
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
fsGroup: 10001
fsGroupChangePolicy: OnRootMismatch
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{- define "lipsol.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
runAsNonRoot: true
capabilities:
  drop: [ALL]
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{/* The head of every pod: {root}. Links would be variables that begin as our settings do: LIPSOL_PREPROCESS_PORT. */}}
{{- define "lipsol.podHead" -}}
enableServiceLinks: false
securityContext:
  {{- include "lipsol.podSecurity" . | nindent 2 }}
{{- with .root.Values.image.pullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .root.Values.pods.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- end -}}

{{/* Where pods of one kind go: apart, by node and by zone: {root, of, track}. */}}
{{- define "lipsol.spread" -}}
topologySpreadConstraints:
{{- $labels := include "lipsol.selector" . }}
{{- $when := .root.Values.pods.spread }}
{{- range list "kubernetes.io/hostname" "topology.kubernetes.io/zone" }}
  - topologyKey: {{ . }}
    maxSkew: 1
    whenUnsatisfiable: {{ $when }}
    labelSelector:
      matchLabels:
        {{- $labels | nindent 8 }}
    matchLabelKeys: [pod-template-hash] # an update's pods are spread among themselves
{{- end }}
{{- end -}}

{{/* Started: its models are open. Alive: only a restart would help. Ready: it should get work. {start_s} */}}
{{- define "lipsol.probes" -}}
startupProbe:
  httpGet: {path: /startupz, port: http}
  periodSeconds: 2
  timeoutSeconds: 5
  failureThreshold: {{ div .start_s 2 }}
livenessProbe:
  httpGet: {path: /healthz, port: http}
  periodSeconds: 10
  timeoutSeconds: 5
  failureThreshold: 6 # a minute: a busy machine stands still for less
readinessProbe:
  httpGet: {path: /readyz, port: http}
  periodSeconds: 5
  timeoutSeconds: 4
  failureThreshold: 2
{{- end -}}

{{/* How a pod leaves. SIGTERM makes it unready, drains, answers, commits; the sleep before is the proxies'. */}}
{{- define "lipsol.preStop" -}}
{{- if gt (int .root.Values.pods.preStop_s) 0 -}}
lifecycle:
  preStop:
    sleep: {seconds: {{ int .root.Values.pods.preStop_s }}}
{{- end }}
{{- end -}}

{{/* Seconds until SIGKILL: {root, of}. Answers have the grace period, what came by events has it once more. */}}
{{- define "lipsol.leave" -}}
{{- $component := get .root.Values .of -}}
{{ ceil (addf .root.Values.pods.preStop_s $component.drain_s $component.grace_s $component.grace_s 10) | int }}
{{- end -}}

{{/* Mounts and volumes: {root, of}. */}}
{{- define "lipsol.mounts" -}}
- {name: tmp, mountPath: /tmp}
{{- if eq .root.Values.store.kind "volume" }}
- {name: store, mountPath: /var/lib/lipsol}
{{- end }}
{{- if and (eq .root.Values.registry.kind "local") .root.Values.registry.existingClaim }}
- {name: models, mountPath: /etc/lipsol/models, readOnly: true}
{{- end }}
{{- if .root.Values.registry.keysSecret }}
- {name: keys, mountPath: /etc/lipsol/keys, readOnly: true}
{{- end }}
{{- if and .root.Values.kafka.tls.enabled .root.Values.kafka.tls.existingSecret }}
- {name: kafka-ca, mountPath: /etc/lipsol/kafka, readOnly: true}
{{- end }}
{{- end -}}

{{- define "lipsol.volumes" -}}
- name: tmp
  emptyDir: {sizeLimit: {{ .tmp }}}
{{- if eq .root.Values.store.kind "volume" }}
- name: store
  persistentVolumeClaim: {claimName: {{ .root.Values.store.volume.existingClaim }}}
{{- end }}
{{- if and (eq .root.Values.registry.kind "local") .root.Values.registry.existingClaim }}
- name: models
  persistentVolumeClaim: {claimName: {{ .root.Values.registry.existingClaim }}, readOnly: true}
{{- end }}
{{- if .root.Values.registry.keysSecret }}
- name: keys
  secret: {secretName: {{ .root.Values.registry.keysSecret }}, defaultMode: 0440}
{{- end }}
{{- if and .root.Values.kafka.tls.enabled .root.Values.kafka.tls.existingSecret }}
- name: kafka-ca
  secret:
    secretName: {{ .root.Values.kafka.tls.existingSecret }}
    defaultMode: 0440
    items:
      - {key: {{ .root.Values.kafka.tls.caKey }}, path: ca.crt}
{{- end }}
{{- end -}}

{{/* One service's pod: {root, of, track, ports, start_s, inline}. inline: told by its own list, since a ConfigMap of the
     new release is not there yet. */}}
{{- define "lipsol.pod" -}}
{{- $component := get .root.Values .of -}}
{{- $gpu := and (eq .of "inference") .root.Values.inference.gpu.enabled -}}
{{- $settings := include "lipsol.settings" . -}}
metadata:
  labels: # without the chart's version: a new chart alone is no reason for new pods
    {{- include "lipsol.selector" . | nindent 4 }}
    app.kubernetes.io/version: {{ .root.Values.image.tag | default .root.Chart.AppVersion | quote }}
  annotations:
    lipsol/settings: {{ sha256sum $settings | trunc 16 | quote }} # new settings, new pods
    {{- with .root.Values.pods.annotations }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  {{- include "lipsol.podHead" . | nindent 2 }}
  serviceAccountName: {{ include "lipsol.fullname" .root }}-{{ .of }}
  automountServiceAccountToken: false
  terminationGracePeriodSeconds: {{ include "lipsol.leave" . }}
  {{- if $gpu }}
  {{- with .root.Values.inference.gpu.runtimeClassName }}
  runtimeClassName: {{ . }}
  {{- end }}
  {{- end }}
  {{- with ternary (merge (dict) $component.nodeSelector (.root.Values.inference.gpu.nodeSelector)) $component.nodeSelector $gpu }}
  nodeSelector:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with ternary (concat $component.tolerations .root.Values.inference.gpu.tolerations) $component.tolerations $gpu }}
  tolerations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- include "lipsol.spread" . | nindent 2 }}
  containers:
    - name: {{ .of }}
      image: {{ include "lipsol.image" . }}
      imagePullPolicy: {{ .root.Values.image.pullPolicy }}
      args: [{{ .of }}]
      terminationMessagePolicy: FallbackToLogsOnError # why it died, for `kubectl describe` and for the analyst
      ports:
        {{- range $name, $port := .ports }}
        - {name: {{ $name }}, containerPort: {{ $port }}}
        {{- end }}
      {{- if not .inline }}
      envFrom:
        - configMapRef: {name: {{ include "lipsol.fullname" .root }}-{{ .of }}}
      {{- end }}
      env:
        {{- if .inline }}
        {{- include "lipsol.inline" (fromYaml $settings) | trim | nindent 8 }}
        {{- end }}
        {{- if .track }}
        - {name: LIPSOL_INFERENCE__TRACK, value: {{ .track }}}
        {{- end }}
        - name: LIPSOL_TELEMETRY__METRICS_PORT
          value: {{ .ports.metrics | quote }}
        {{- with include "lipsol.rehearsal" . }}
        {{- . | nindent 8 }}
        {{- end }}
        {{- with include "lipsol.secrets" . }}
        {{- . | nindent 8 }}
        {{- end }}
      resources:
        {{- $resources := deepCopy $component.resources }}
        {{- if $gpu }}
        {{- $_ := set $resources "limits" (merge (dict .root.Values.inference.gpu.resource "1") ($resources.limits | default dict)) }}
        {{- end }}
        {{- toYaml $resources | nindent 8 }}
      securityContext:
        {{- include "lipsol.containerSecurity" . | nindent 8 }}
      {{- include "lipsol.probes" . | nindent 6 }}
      {{- with include "lipsol.preStop" . }}
      {{- . | nindent 6 }}
      {{- end }}
      volumeMounts:
        {{- include "lipsol.mounts" . | nindent 8 }}
  volumes:
    {{- include "lipsol.volumes" (dict "root" .root "tmp" $component.tmp) | nindent 4 }}
{{- end -}}

{{/* The fault that a canary rehearses. Stable never has one. */}}
{{- define "lipsol.rehearsal" -}}
{{- if and .root.Values.rehearsal.allowed .root.Values.rehearsal.fault (eq (.track | default "") "canary") -}}
- {name: LIPSOL_REHEARSAL__ALLOWED, value: "true"}
- name: LIPSOL_REHEARSAL__FAULT
  value: {{ .root.Values.rehearsal.fault | quote }}
{{- include "lipsol.inline" (fromYaml (include "lipsol.section" (dict "section" "REHEARSAL" "settings" .root.Values.rehearsal.settings))) }}
{{- end -}}
{{- end -}}
