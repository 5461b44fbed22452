{{/* Names, labels and images: how every object of a release is called. */}}

{{- define "lipsol.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride -}}
{{- else if contains "lipsol" .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-lipsol" .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{/* What never changes of an object: {root, of}. */}}
{{- define "lipsol.selector" -}}
app.kubernetes.io/name: lipsol
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .of }}
{{- if .track }}
lipsol/track: {{ .track }}
{{- end }}
{{- end -}}

{{- define "lipsol.labels" -}}
{{ include "lipsol.selector" . }}
app.kubernetes.io/version: {{ .root.Values.image.tag | default .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" }}
{{- end -}}

{{/* An image: {root, of}. */}}
{{- define "lipsol.image" -}}
{{- $component := get .root.Values .of -}}
{{- $gpu := and (eq .of "inference") .root.Values.inference.gpu.enabled -}}
{{- $name := printf "%s%s" $component.image (ternary "-gpu" "" $gpu) -}}
{{- $place := ternary (printf "%s/%s" (trimSuffix "/" .root.Values.image.registry) $name) $name (ne .root.Values.image.registry "") -}}
{{- $place }}:{{ .root.Values.image.tag | default .root.Chart.AppVersion }}
{{- with $component.digest }}@{{ . }}{{ end -}}
{{- end -}}
