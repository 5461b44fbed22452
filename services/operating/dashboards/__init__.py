"""The dashboards that Grafana shows of a platform, as plain values; `make dashboards` writes them as Grafana has them.

One module a dashboard: `service`, `reading`, `drift`, `release`, `kafka`. `panels` holds the values they are made of,
`drawing` makes Grafana's JSON of them.
"""
