{{/* Parts of NetworkPolicies. A rule without peers would let in everybody, so none is ever written without. */}}

{{- define "lipsol.ports" -}}
{{- range . }}
- {protocol: TCP, port: {{ . }}}
{{- end }}
{{- end -}}

{{- define "lipsol.dns" -}}
- to:
    {{- toYaml .Values.networkPolicies.dns | nindent 4 }}
  ports:
    - {protocol: UDP, port: 53}
    - {protocol: TCP, port: 53}
{{- end -}}

{{/* The port of an address: https://host:9000/path -> 9000, and else the scheme's. */}}
{{- define "lipsol.portOf" -}}
{{- $host := regexReplaceAll "^https?://([^/]*).*$" . "${1}" -}}
{{- if regexMatch ":[0-9]+$" $host -}}{{ regexFind "[0-9]+$" $host }}
{{- else -}}{{ ternary 80 443 (hasPrefix "http://" .) }}{{- end -}}
{{- end -}}

{{/* The ports of brokers, each once. */}}
{{- define "lipsol.kafkaPorts" -}}
{{- $ports := list -}}
{{- range splitList "," .Values.kafka.servers -}}
{{- $ports = append $ports (int (regexFind "[0-9]+$" .)) -}}
{{- end -}}
{{- include "lipsol.ports" (uniq $ports) -}}
{{- end -}}

{{/* One service's policy: {root, of, track, metrics, in: [{from, ports}], asks: an address in monitoring, kubernetes: whether
     it asks Kubernetes, hook: [name, events]}. hook: for pods that are there before the release's own policies are. */}}
{{- define "lipsol.policy" -}}
{{- $ := .root -}}
{{- $who := $.Values.networkPolicies -}}
{{- $its := pick . "root" "of" "track" }}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: {{ include "lipsol.fullname" $ }}-{{ if .hook }}{{ first .hook }}-hook{{ else }}{{ .of }}{{ end }}
  labels:
    {{- include "lipsol.labels" $its | nindent 4 }}
  {{- with .hook }}
  annotations:
    helm.sh/hook: {{ last . }}
    helm.sh/hook-weight: "-20"
    helm.sh/hook-delete-policy: before-hook-creation
  {{- end }}
spec:
  podSelector:
    matchLabels:
      {{- include "lipsol.selector" $its | nindent 6 }}
  policyTypes: [Ingress, Egress]
  {{- $ins := list }}
  {{- range append .in (dict "from" (ternary $who.monitoring list (hasKey . "metrics")) "ports" (list .metrics)) }}
  {{- if .from }}{{ $ins = append $ins . }}{{ end }}
  {{- end }}
  ingress:
    {{- range $ins }}
    - from:
        {{- toYaml .from | nindent 8 }}
      ports:
        {{- include "lipsol.ports" .ports | trim | nindent 8 }}
    {{- else }} []
    {{- end }}
  egress:
    {{- include "lipsol.dns" $ | nindent 4 }}
    {{- with $who.kafka }}
    - to:
        {{- toYaml . | nindent 8 }}
      ports:
        {{- include "lipsol.kafkaPorts" $ | trim | nindent 8 }}
    {{- end }}
    {{- if and (eq $.Values.store.kind "s3") $who.store }}
    - to:
        {{- toYaml $who.store | nindent 8 }}
      ports:
        {{- include "lipsol.ports" (list (include "lipsol.portOf" $.Values.store.s3.endpoint)) | trim | nindent 8 }}
    {{- end }}
    {{- if and (eq $.Values.registry.kind "mlflow") $who.registry }}
    - to:
        {{- toYaml $who.registry | nindent 8 }}
      ports:
        {{- include "lipsol.ports" (list (include "lipsol.portOf" $.Values.registry.uri)) | trim | nindent 8 }}
    {{- end }}
    {{- if and .asks $who.monitoring }}
    - to:
        {{- toYaml $who.monitoring | nindent 8 }}
      ports:
        {{- include "lipsol.ports" (list (include "lipsol.portOf" .asks)) | trim | nindent 8 }}
    {{- end }}
    {{- if and .kubernetes $who.apiServer }}
    - to:
        {{- toYaml $who.apiServer | nindent 8 }}
      ports:
        {{- include "lipsol.ports" $who.apiServerPorts | trim | nindent 8 }}
    {{- end }}
{{- end -}}
