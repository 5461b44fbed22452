"""Dashboards as Grafana reads them. The one door to Grafana's SDK, whose builders know the schema.

The JSON is the same for the same dashboard: names, ids and places depend on nothing but its values. Names no data
source: which Prometheus it asks is chosen above the dashboard.
"""

import json

from grafana_foundation_sdk.builders import common, heatmap, prometheus, stat, statetimeline, table, text, timeseries
from grafana_foundation_sdk.builders import dashboard as grafana
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import common as choices
from grafana_foundation_sdk.models import dashboard as models
from grafana_foundation_sdk.models.heatmap import HeatmapColorMode
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

from services.operating.dashboards.panels import Dashboard, Panel, Query

TAG = "lipsol"  # that every dashboard bears, by which they find each other
SOURCE = models.DataSourceRef(type_val="prometheus", uid="${datasource}")
RUNBOOKS = "${runbooks}"  # where docs/runbooks is served: by the monitor, if nothing else is said
HEIGHTS = {"number": 4, "words": 5}  # in rows of the grid
HEIGHT = 8
FINE, WORRY, BAD = "green", "orange", "red"
YES_OR_NO = models.ValueMap({"0": models.ValueMappingResult("no"), "1": models.ValueMappingResult("yes")})
LABELS = {  # of the variables by which a dashboard is narrowed -> the label values they offer
    "track": "label_values(lipsol_predictions_total, track)",
    "model": "label_values(lipsol_predictions_total, model)",
}

Builder = (
    timeseries.Panel | stat.Panel | statetimeline.Panel | heatmap.Panel | table.Panel | text.Panel
)  # one of Grafana's panels on its way


def draw(dashboard: Dashboard) -> str:
    """A dashboard as JSON."""
    drawn = (
        grafana.Dashboard(dashboard.title)
        .uid(dashboard.uid)
        .description(dashboard.answers)
        .tags([TAG])
        .readonly()
        .timezone("browser")
        .time("now-6h", "now")
        .refresh("30s")
        .tooltip(models.DashboardCursorSync.CROSSHAIR)
        .link(_others())
        .annotation(_alerts())
        .with_variable(_source())
        .with_variable(_runbooks())
    )
    for label in dashboard.by:
        drawn.with_variable(_variable(label))
    number = 0
    for row in dashboard.rows:
        drawn.with_row(grafana.Row(row.title).id(number := number + 1))
        for panel in row.panels:
            drawn.with_panel(_panel(panel).id(number := number + 1))
    return json.dumps(json.loads(JSONEncoder().encode(drawn.build())), indent=2, sort_keys=True) + "\n"


def _others() -> grafana.DashboardLink:
    """To all dashboards of LipSol, with what is chosen here."""
    return (
        grafana.DashboardLink("LipSol")
        .type(models.DashboardLinkType.DASHBOARDS)
        .tags([TAG])
        .include_vars(True)
        .keep_time(True)
    )


def _alerts() -> grafana.AnnotationQuery:
    """A mark wherever an alert fires."""
    return (
        grafana.AnnotationQuery()
        .name("Alerts that fire")
        .datasource(SOURCE)
        .enable(True)
        .icon_color(BAD)
        .expr('ALERTS{alertname=~"LipSol.*", alertstate="firing"}')
    )


def _source() -> grafana.DatasourceVariable:
    return grafana.DatasourceVariable("datasource").label("Prometheus").type("prometheus")


def _runbooks() -> grafana.TextBoxVariable:
    return (
        grafana.TextBoxVariable("runbooks")
        .label("Runbooks at")
        .description("Where docs/runbooks is served: panels link there")
        .default_value("http://127.0.0.1:8082/runbooks")
    )


def _runbook(name: str) -> grafana.DashboardLink:
    """To what is to be done."""
    link = grafana.DashboardLink(f"What to do: {name}").type(models.DashboardLinkType.LINK)
    return link.url(f"{RUNBOOKS}/{name}").target_blank(True)


def _variable(label: str) -> grafana.QueryVariable:
    """A choice of one, some or all values of a label; "all" takes in what has no such label."""
    return (
        grafana.QueryVariable(label)
        .label(label.capitalize())
        .query(LABELS[label])
        .datasource(SOURCE)
        .refresh(models.VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(models.VariableSort.ALPHABETICAL_ASC)
        .multi(True)
        .include_all(True)
        .all_value(".*")
        .current(models.VariableOption(selected=True, text="All", value="$__all"))
    )


def _panel(panel: Panel) -> Builder:
    """One panel with all that it shows."""
    built = (
        _kind(panel)
        .title(panel.title)
        .description(panel.description())
        .span(panel.width)
        .height(HEIGHTS.get(panel.kind, HEIGHT))
    )
    if panel.kind == "words":
        return built
    built.datasource(SOURCE).unit(panel.unit).thresholds(_thresholds(panel))
    for place, query in enumerate(panel.queries):
        built.with_target(_target(panel, query, chr(ord("A") + place)))
    return built.links([_runbook(name) for name in panel.runbooks])


def _kind(panel: Panel) -> Builder:
    """Grafana's panel of a kind, as it looks here."""
    match panel.kind:
        case "number":
            number = stat.Panel().graph_mode(choices.BigValueGraphMode.AREA).reduce_options(_newest())
            return number.color_scheme(_by_threshold())
        case "states":
            states = statetimeline.Panel().merge_values(True).show_value(choices.VisibilityMode.NEVER)
            return states.line_width(0).fill_opacity(70).color_scheme(_by_threshold()).mappings([YES_OR_NO])
        case "heat":
            color = heatmap.HeatmapColorOptions().mode(HeatmapColorMode.SCHEME).scheme("Blues").steps(64)
            even = common.ScaleDistributionConfig().type(choices.ScaleDistribution.LINEAR)
            return heatmap.Panel().calculate(False).color(color).scale_distribution(even)
        case "table":
            colored = models.DynamicConfigValue("custom.cellOptions", {"type": "color-background", "mode": "basic"})
            hidden = {"excludeByName": {"Time": True, "__name__": True}}
            listed = table.Panel().show_header(True).override_by_name("Value", [colored])
            return listed.with_transformation(models.DataTransformerConfig("organize", options=hidden))
        case "words":
            return text.Panel().content(panel.why)
        case _:
            bounds = common.GraphThresholdsStyleConfig().mode(choices.GraphTresholdsStyleMode.DASHED)
            lines = timeseries.Panel().fill_opacity(8).show_points(choices.VisibilityMode.NEVER).axis_soft_min(0)
            lines.legend(_legend()).tooltip(common.VizTooltipOptions().mode(choices.TooltipDisplayMode.MULTI))
            return lines if panel.bad is None else lines.thresholds_style(bounds)


def _by_threshold() -> grafana.FieldColor:
    return grafana.FieldColor().mode(models.FieldColorModeId.THRESHOLDS)


def _legend() -> common.VizLegendOptions:
    """Under the lines, with what each stands at."""
    below = common.VizLegendOptions().placement(choices.LegendPlacement.BOTTOM)
    return below.display_mode(choices.LegendDisplayMode.TABLE).show_legend(True).calcs(["lastNotNull", "max"])


def _newest() -> common.ReduceDataOptions:
    return common.ReduceDataOptions().calcs(["lastNotNull"])


def _thresholds(panel: Panel) -> grafana.ThresholdsConfig:
    """Green, then orange, then red; from the other end where little is bad."""
    worry, bad = panel.worry, panel.bad
    if bad is None:
        steps = [(None, FINE)] if worry is None else [(None, FINE), (worry, WORRY)]
    elif worry is not None and bad < worry:
        steps = [(None, BAD), (bad, WORRY), (worry, FINE)]
    else:
        steps = [(None, FINE), *([] if worry is None else [(worry, WORRY)]), (bad, BAD)]
    return (
        grafana.ThresholdsConfig()
        .mode(models.ThresholdsMode.ABSOLUTE)
        .steps([models.Threshold(value=value, color=color) for value, color in steps])
    )


def _target(panel: Panel, query: Query, ref: str) -> prometheus.Dataquery:
    """One query as Grafana sends it."""
    target = prometheus.Dataquery().expr(query.expr).ref_id(ref).legend_format(query.named)
    if panel.kind == "table":
        return target.instant().format(PromQueryFormat.TABLE)
    if panel.kind == "heat":
        return target.range().format(PromQueryFormat.HEATMAP)
    return target.range().exemplar(panel.exemplars)
