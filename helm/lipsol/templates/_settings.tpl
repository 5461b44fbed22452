{{/* What a service is told: settings in the open, and secrets by reference alone. */}}

{{/* A plain value as the environment holds it. Helm reads numbers as floats: JSON writes 268435456 as it is. */}}
{{- define "lipsol.plain" -}}
{{- if kindIs "string" . -}}{{ . }}{{- else -}}{{ toJson . }}{{- end -}}
{{- end -}}

{{/* Settings of a section as variables: {section, settings}; a section within it goes one deeper. */}}
{{- define "lipsol.section" -}}
{{- $section := .section -}}
{{- range $name, $value := .settings }}
{{- if kindIs "map" $value }}
{{- include "lipsol.section" (dict "section" (printf "%s__%s" $section (upper $name)) "settings" $value) }}
{{- else }}
LIPSOL_{{ $section }}__{{ upper $name }}: {{ include "lipsol.plain" $value | quote }}
{{- end }}
{{- end }}
{{- end -}}

{{- define "lipsol.protocol" -}}
{{- $tls := .Values.kafka.tls.enabled -}}
{{- if .Values.kafka.sasl.mechanism -}}{{ ternary "SASL_SSL" "SASL_PLAINTEXT" $tls }}
{{- else -}}{{ ternary "SSL" "PLAINTEXT" $tls }}{{- end -}}
{{- end -}}

{{/* What all are told: {root}. */}}
{{- define "lipsol.shared" -}}
{{- $ := .root -}}
LIPSOL_BUS__KIND: kafka
LIPSOL_BUS__SERVERS: {{ $.Values.kafka.servers | quote }}
{{- with $.Values.kafka.prefix }}
LIPSOL_BUS__PREFIX: {{ . | quote }}
{{- end }}
LIPSOL_BUS__PROTOCOL: {{ include "lipsol.protocol" $ }}
{{- with $.Values.kafka.sasl.mechanism }}
LIPSOL_BUS__MECHANISM: {{ . }}
{{- end }}
{{- if and $.Values.kafka.tls.enabled $.Values.kafka.tls.existingSecret }}
LIPSOL_BUS__CA_FILE: /etc/lipsol/kafka/ca.crt
{{- end }}
{{- include "lipsol.section" (dict "section" "BUS" "settings" $.Values.kafka.settings) }}
{{- if eq $.Values.store.kind "s3" }}
LIPSOL_STORE__KIND: s3
LIPSOL_STORE__BUCKET: {{ $.Values.store.s3.bucket | quote }}
{{- range $name, $value := pick $.Values.store.s3 "endpoint" "prefix" "region" }}
{{- if $value }}
LIPSOL_STORE__{{ upper $name }}: {{ $value | quote }}
{{- end }}
{{- end }}
{{- else }}
LIPSOL_STORE__KIND: local
LIPSOL_STORE__FOLDER: /var/lib/lipsol
{{- end }}
LIPSOL_REGISTRY__KIND: {{ $.Values.registry.kind }}
{{- if eq $.Values.registry.kind "mlflow" }}
LIPSOL_REGISTRY__URI: {{ $.Values.registry.uri | quote }}
LIPSOL_REGISTRY__CACHE: /tmp/models
{{- with $.Values.registry.prefix }}
LIPSOL_REGISTRY__PREFIX: {{ . | quote }}
{{- end }}
{{- else if $.Values.registry.existingClaim }}
LIPSOL_REGISTRY__FOLDER: /etc/lipsol/models
{{- end }}
{{- if $.Values.registry.keysSecret }}
LIPSOL_REGISTRY__KEYS: /etc/lipsol/keys
{{- end }}
LIPSOL_TELEMETRY__LOG_LEVEL: {{ $.Values.telemetry.log_level }}
LIPSOL_TELEMETRY__LOG_FORMAT: {{ $.Values.telemetry.log_format }}
{{- end -}}

{{/* The bundles that both tracks are pinned to, the release's own first: it reads its language. */}}
{{- define "lipsol.bundles" -}}
{{- compact (prepend (get .Values.inference.settings "bundles" | default list) .Values.release.bundle) | uniq | toJson -}}
{{- end -}}

{{/* What stable is pinned to by now, as its live settings tell. Empty where there is none to ask: before an install, and
     where nothing is rendered for a cluster, as by `helm template`. */}}
{{- define "lipsol.pinned" -}}
{{- with lookup "v1" "ConfigMap" .Release.Namespace (printf "%s-inference" (include "lipsol.fullname" .)) -}}
{{- get (.data | default dict) "LIPSOL_INFERENCE__BUNDLES" | default "[]" -}}
{{- end -}}
{{- end -}}

{{/* All that a service is told in the open: {root, of}. */}}
{{- define "lipsol.settings" -}}
{{- $component := get .root.Values .of -}}
{{- $own := pick $component "drain_s" "grace_s" -}}
{{- $bundles := fromJsonArray (include "lipsol.bundles" .root) -}}
{{- if and $bundles (eq .of "inference") -}}{{- $_ := set $own "bundles" $bundles -}}{{- end -}}
{{ include "lipsol.shared" . }}
{{- include "lipsol.section" (dict "section" (upper .of) "settings" (merge $own $component.settings)) }}
{{- if and (eq .of "inference") .root.Values.inference.gpu.enabled }}
LIPSOL_INFERENCE__PROVIDER: {{ .root.Values.inference.gpu.provider }}
{{- end }}
{{- end -}}

{{/* The same as a container's list. */}}
{{- define "lipsol.inline" -}}
{{- range $name, $value := . }}
- name: {{ $name }}
  value: {{ $value | quote }}
{{- end }}
{{- end -}}

{{/* The Secret by which a service proves to Kafka who it is: {root, of}. */}}
{{- define "lipsol.kafkaSecret" -}}
{{- get .root.Values.kafka.sasl.users .of | default .root.Values.kafka.sasl.existingSecret -}}
{{- end -}}

{{/* Secrets as variables of a container: {root, of}; of is who asks Kafka. */}}
{{- define "lipsol.secrets" -}}
{{- $ := .root -}}
{{- if $.Values.kafka.sasl.mechanism }}
{{- $secret := include "lipsol.kafkaSecret" . }}
- name: LIPSOL_BUS__USER
{{- if $.Values.kafka.sasl.userKey }}
  valueFrom:
    secretKeyRef: {name: {{ $secret }}, key: {{ $.Values.kafka.sasl.userKey }}}
{{- else }}
  value: {{ $secret }}
{{- end }}
- name: LIPSOL_BUS__PASSWORD
  valueFrom:
    secretKeyRef: {name: {{ $secret }}, key: {{ $.Values.kafka.sasl.passwordKey }}}
{{- end }}
{{- if and (eq $.Values.store.kind "s3") $.Values.store.s3.existingSecret }}
- name: AWS_ACCESS_KEY_ID
  valueFrom:
    secretKeyRef: {name: {{ $.Values.store.s3.existingSecret }}, key: {{ $.Values.store.s3.idKey }}}
- name: AWS_SECRET_ACCESS_KEY
  valueFrom:
    secretKeyRef: {name: {{ $.Values.store.s3.existingSecret }}, key: {{ $.Values.store.s3.accessKey }}}
{{- end }}
{{- if and (eq $.Values.registry.kind "mlflow") $.Values.registry.existingSecret }}
{{- range list "USERNAME" "PASSWORD" "TOKEN" }}
- name: MLFLOW_TRACKING_{{ . }}
  valueFrom:
    secretKeyRef: {name: {{ $.Values.registry.existingSecret }}, key: MLFLOW_TRACKING_{{ . }}, optional: true}
{{- end }}
{{- end }}
{{- end -}}
