{{/* What can't work is refused before anything is touched, with the cure. What a schema can say, the schema says. */}}
{{- define "lipsol.check" -}}
{{- $ := . -}}
{{- if and (eq .Values.store.kind "volume") (not .Values.store.volume.existingClaim) -}}
{{- fail "store.kind is volume, and store.volume.existingClaim names none: name a PersistentVolumeClaim, or take s3" -}}
{{- end -}}
{{- if and (eq .Values.registry.kind "mlflow") (not .Values.registry.uri) -}}
{{- fail "registry.kind is mlflow, and registry.uri is empty: give the server's address, or take local" -}}
{{- end -}}
{{- if and (eq .Values.registry.kind "mlflow") (not .Values.registry.keysSecret) (not .Values.registry.unsigned) -}}
{{- fail "registry.kind is mlflow, and registry.keysSecret is empty: whoever can write to that server would decide what is read. Name the Secret with the public keys of those who sign, or set registry.unsigned" -}}
{{- end -}}
{{- if .Values.kafka.sasl.mechanism -}}
{{- range list "preprocess" "inference" "monitor" "analyst" -}}
{{- if not (include "lipsol.kafkaSecret" (dict "root" $ "of" .)) -}}
{{- fail (printf "kafka.sasl.mechanism is %s, and there is no Secret for %s: set kafka.sasl.users.%s or kafka.sasl.existingSecret" $.Values.kafka.sasl.mechanism . .) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if and (eq .Values.kafka.sasl.mechanism "PLAIN") (not .Values.kafka.tls.enabled) -}}
{{- fail "kafka.sasl.mechanism is PLAIN, and kafka.tls.enabled is false: the password would travel in the open. Enable TLS, or take a SCRAM mechanism" -}}
{{- end -}}
{{- if and .Values.ingress.enabled (not (and .Values.ingress.host .Values.ingress.tlsSecret)) -}}
{{- fail "ingress.enabled asks for ingress.host and ingress.tlsSecret: faces don't travel in the open" -}}
{{- end -}}
{{- if and .Values.gateway.enabled (not (and .Values.gateway.parents .Values.gateway.hosts)) -}}
{{- fail "gateway.enabled asks for gateway.parents and gateway.hosts: name the Gateway, and under which names it leads here" -}}
{{- end -}}
{{- if and .Values.networkPolicies.enabled (or .Values.ingress.enabled .Values.gateway.enabled) (not .Values.networkPolicies.clients) -}}
{{- fail "the edge is open to the world, and networkPolicies.clients lets nobody in: name the controller's or the gateway's pods" -}}
{{- end -}}
{{- if gt (int .Values.autoscaling.min) (int .Values.autoscaling.max) -}}
{{- fail (printf "autoscaling.min %d is above autoscaling.max %d: lower it" (int .Values.autoscaling.min) (int .Values.autoscaling.max)) -}}
{{- end -}}
{{- if and .Values.rehearsal.fault (not .Values.rehearsal.allowed) -}}
{{- fail (printf "rehearsal.fault is %s, and rehearsal.allowed is false: allow it where no user is, or rehearse nothing" .Values.rehearsal.fault) -}}
{{- end -}}
{{- range fromJsonArray (include "lipsol.bundles" .) -}}
{{- if not (regexMatch "^[0-9a-f]{64}$" .) -}}
{{- fail (printf "inference.settings.bundles holds %s: give whole digests, 64 hex digits, as `lipsol models show --json` does" .) -}}
{{- end -}}
{{- end -}}
{{- if and .Values.release.promql (not .Values.release.prometheus) -}}
{{- fail "release.promql holds queries, and release.prometheus is empty: say which Prometheus is asked" -}}
{{- end -}}
{{- if ge (mulf .Values.release.look_s 3) (float64 .Values.release.expiry_s) -}}
{{- fail (printf "release.look_s is %v, and release.expiry_s %v: the analyst renews at a look, so a policy could run out in between. Look more than three times in that time" .Values.release.look_s .Values.release.expiry_s) -}}
{{- end -}}
{{- include "lipsol.checkSteps" .Values.release -}}
{{- $pinned := include "lipsol.pinned" . -}}
{{- if and .Release.IsUpgrade $pinned -}}
{{- include "lipsol.checkPins" (dict "release" .Values.release "pinned" (fromJsonArray $pinned) "bundles" (fromJsonArray (include "lipsol.bundles" .))) -}}
{{- end -}}
{{- end -}}

{{/* {release, pinned, bundles}: no bundle comes to be read by without having been judged, as far as digests can tell. */}}
{{- define "lipsol.checkPins" -}}
{{- if and .bundles (not .pinned) .release.enabled -}}
{{- fail "stable is pinned to no bundle, so what was promoted reads there already, and no canary can be judged by what read before. First pin what reads now, which changes nothing: helm upgrade with release.enabled=false and release.bundle its digest. Then promote, and release" -}}
{{- end -}}
{{- $come := list -}}
{{- range .bundles -}}{{- if not (has . $.pinned) -}}{{- $come = append $come . -}}{{- end -}}{{- end -}}
{{- $gone := list -}}
{{- range .pinned -}}{{- if not (has . (concat $.bundles $.release.unpins)) -}}{{- $gone = append $gone . -}}{{- end -}}{{- end -}}
{{- if gt (len $gone) (len $come) -}}
{{- fail (printf "stable is pinned to %s, which this release leaves out, and it names %d new: what is promoted would read in their place, judged by nobody. Keep them in inference.settings.bundles, or let them go by release.unpins" (join ", " $gone) (len $come)) -}}
{{- end -}}
{{- end -}}

{{/* As lipsol/rollout/plan.py has it. */}}
{{- define "lipsol.checkSteps" -}}
{{- $least := 0.0 -}}
{{- $weights := list -}}
{{- range .steps -}}
{{- $least = addf $least (.least_s | default 0) -}}
{{- if eq .kind "canary" -}}{{- $weights = append $weights (float64 .weight) -}}{{- end -}}
{{- end -}}
{{- if le (float64 .deadline_s) $least -}}
{{- fail (printf "release.deadline_s is %v for steps that take %v s at least: give a later one, or shorter steps" .deadline_s $least) -}}
{{- end -}}
{{- if and (eq .way "shadow") $weights -}}
{{- fail "release.way is shadow, and a step is of kind canary: give steps of kind shadow alone" -}}
{{- end -}}
{{- if and (eq .way "blueGreen") (ne (toJson $weights) "[100]") -}}
{{- fail (printf "release.way is blueGreen, with the weights %s: give one step of kind canary, of 100" (toJson $weights)) -}}
{{- end -}}
{{- if and (eq .way "canary") (not $weights) -}}
{{- fail "release.way is canary, and no step is: give one, or take way shadow" -}}
{{- end -}}
{{- $last := 0.0 -}}
{{- if eq .way "canary" -}}
{{- range $weights -}}
{{- if le . $last -}}{{- fail (printf "release.steps go to %v after %v: let each weight be larger than the one before" . $last) -}}{{- end -}}
{{- $last = . -}}
{{- end -}}
{{- end -}}
{{- end -}}
