{{/* What the release's hooks have in common. Their names and what they are told must stay stable over releases: a
     rollback runs the hooks of the revision that it goes back to. */}}

{{- define "lipsol.canary" -}}{{ include "lipsol.fullname" . }}-inference-canary{{- end -}}

{{/* The rollout's plan, as lipsol/rollout/plan.py reads it. */}}
{{- define "lipsol.plan" -}}
{{- pick .Values.release "way" "steps" "deadline_s" "expiry_s" | toJson -}}
{{- end -}}

{{/* What every hook's Job is told of its release; the revision is that of these objects, also when a rollback runs them. */}}
{{- define "lipsol.hookTold" -}}
LIPSOL_ANALYST__RELEASE: {{ .Release.Name }}
LIPSOL_ANALYST__NAMESPACE: {{ .Release.Namespace }}
LIPSOL_ANALYST__REVISION: {{ .Release.Revision | quote }}
LIPSOL_ANALYST__DEPLOYMENT: {{ include "lipsol.canary" . }}
{{- end -}}

{{/* The pod of a hook's Job: {root, name, arguments, told}. told: settings of the analyst beside those of all. */}}
{{- define "lipsol.hookPod" -}}
{{- $its := dict "root" .root "of" "analyst" -}}
metadata:
  labels:
    {{- include "lipsol.selector" $its | nindent 4 }}
  {{- with .root.Values.pods.annotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  {{- include "lipsol.podHead" . | nindent 2 }}
  restartPolicy: Never
  serviceAccountName: {{ include "lipsol.fullname" .root }}-{{ .name }}
  automountServiceAccountToken: true # it asks Kubernetes for the canary and for its own release
  terminationGracePeriodSeconds: 30
  {{- with .root.Values.monitor.nodeSelector }}
  nodeSelector:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .root.Values.monitor.tolerations }}
  tolerations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  containers:
    - name: {{ .name }}
      image: {{ include "lipsol.image" (dict "root" .root "of" "monitor") }}
      imagePullPolicy: {{ .root.Values.image.pullPolicy }}
      args: {{ toJson .arguments }}
      terminationMessagePolicy: FallbackToLogsOnError # `kubectl describe pod` shows why it failed
      env:
        {{- include "lipsol.inline" (fromYaml (include "lipsol.shared" $its)) | trim | nindent 8 }}
        {{- include "lipsol.inline" .told | trim | nindent 8 }}
        {{- with include "lipsol.secrets" $its }}
        {{- . | nindent 8 }}
        {{- end }}
      resources:
        {{- toYaml .root.Values.release.resources | nindent 8 }}
      securityContext:
        {{- include "lipsol.containerSecurity" . | nindent 8 }}
      volumeMounts:
        {{- include "lipsol.mounts" $its | nindent 8 }}
  volumes:
    {{- include "lipsol.volumes" (dict "root" .root "tmp" "128Mi") | nindent 4 }}
{{- end -}}

{{/* What all hooks may: take the canary away. {root, verbs} */}}
{{- define "lipsol.ruleOfCanary" -}}
- apiGroups: [apps]
  resources: [deployments]
  resourceNames: [{{ include "lipsol.canary" .root }}]
  verbs: {{ toJson .verbs }}
{{- end -}}

{{/* What a hook may that says in its own Job's status why it failed: Helm and `kubectl describe` tell that. */}}
{{- define "lipsol.ruleOfJob" -}}
- apiGroups: [batch]
  resources: [jobs/status]
  resourceNames: [{{ . }}]
  verbs: [patch]
{{- end -}}

{{/* What a hook may that looks at what became of revisions: {release, revisions}. */}}
{{- define "lipsol.ruleOfRevisions" -}}
- apiGroups: [""]
  resources: [secrets]
  resourceNames:
    {{- range .revisions }}
    - {{ printf "sh.helm.release.v1.%s.v%d" $.release (int .) }}
    {{- end }}
  verbs: [get]
{{- end -}}

{{/* Who a hook's Job is to Kubernetes: {root, name, events, policy, rules}. It stays when its hook has ended: a Job runs on
     where Helm's client was killed or `--timeout` was short, and must still be able to take the canary away. With
     hook-succeeded Helm would delete it at that moment. The next hook makes it anew, `farewell.yaml` takes it away. */}}
{{- define "lipsol.hookAccount" -}}
{{- $its := dict "root" .root "of" "analyst" -}}
{{- $called := printf "%s-%s" (include "lipsol.fullname" .root) .name -}}
{{- $events := .events -}}
apiVersion: v1
kind: ServiceAccount
metadata:
  name: {{ $called }}
  labels:
    {{- include "lipsol.labels" $its | nindent 4 }}
  annotations:
    helm.sh/hook: {{ $events }}
    helm.sh/hook-weight: "-20"
    helm.sh/hook-delete-policy: {{ .policy | default "before-hook-creation" }}
automountServiceAccountToken: false
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata:
  name: {{ $called }}
  labels:
    {{- include "lipsol.labels" $its | nindent 4 }}
  annotations:
    helm.sh/hook: {{ $events }}
    helm.sh/hook-weight: "-20"
    helm.sh/hook-delete-policy: {{ .policy | default "before-hook-creation" }}
{{- with .rules }}
rules:
  {{- . | nindent 2 }}
{{- else }}
rules: []
{{- end }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata:
  name: {{ $called }}
  labels:
    {{- include "lipsol.labels" $its | nindent 4 }}
  annotations:
    helm.sh/hook: {{ $events }}
    helm.sh/hook-weight: "-20"
    helm.sh/hook-delete-policy: {{ .policy | default "before-hook-creation" }}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: Role
  name: {{ $called }}
subjects:
  - kind: ServiceAccount
    name: {{ $called }}
    namespace: {{ .root.Release.Namespace }}
{{- end -}}
