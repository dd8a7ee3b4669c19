package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/shopspring/decimal"
)

// namespace begins every name.
const namespace = "waconcile"

// gauges registers a gauge for each figure.
type gauges struct{ with prometheus.Registerer }

// set is a gauge without labels.
func (g gauges) set(name, help string, value float64) {
	g.vec(name, help).WithLabelValues().Set(value)
}

// vec is a gauge for each value of some labels. Without any value nothing of
// it is exposed.
func (g gauges) vec(name, help string, labels ...string) *prometheus.GaugeVec {
	v := prometheus.NewGaugeVec(prometheus.GaugeOpts{Namespace: namespace, Name: name, Help: help}, labels)
	g.with.MustRegister(v)
	return v
}

// gather gives a report as metric families, each series with the labels.
func (r *Report) gather(l Labels) ([]*dto.MetricFamily, error) {
	registry := prometheus.NewRegistry()
	g := gauges{prometheus.WrapRegistererWith(prometheus.Labels(l), registry)}
	r.gatherRun(g)
	if r.Published == nil && !r.Unread {
		g.set("last_failure_timestamp_seconds", "When the last run ended that failed, or of which it is not known whether it is published (exit code 7).", instant(r.Ended))
	} else {
		g.set("last_success_timestamp_seconds", "When the last run that was published, or was there already, ended.", instant(r.Ended))
	}
	if p := r.Published; p != nil {
		p.gatherRows(g)
		p.gatherMoney(g)
		p.gatherPeriods(g)
	}
	return registry.Gather()
}

// gatherRun has what every run knows, published or not.
func (r *Report) gatherRun(g gauges) {
	g.set("last_run_timestamp_seconds", "When the last run ended, whatever became of it.", instant(r.Ended))
	g.set("last_exit_code", "Exit code of the last run.", float64(r.ExitCode))
	g.set("last_run_duration_seconds", "How long the last run took.", r.Took.Seconds())
	stages := g.vec("stage_duration_seconds", "How long the stages of the last run took, as far as it got.", "stage")
	for _, s := range r.Stages {
		stages.WithLabelValues(s.Name).Add(s.Took.Seconds())
	}
	if r.PeakBytes > 0 {
		g.set("max_resident_memory_bytes", "Peak resident memory of the last run.", float64(r.PeakBytes))
	}
	if r.DaysMissing != nil {
		g.set("days_missing", "Days that the last run which got as far as to know needed and that have no data.", float64(*r.DaysMissing))
	}
}

func (p *Published) gatherRows(g gauges) {
	g.set("rows", "Rows read by the last published run.", float64(p.Rows))
	g.set("messages", "Messages that its rows are of.", float64(p.Messages))
	byName(g.vec("rejected_rows", "Rows that could not be used, by reason.", "reason"), p.Rejects)
	byName(g.vec("findings", "Rows of the findings, by kind.", "kind"), p.Findings)
	charges := g.vec("charges", "Charges by category and status.", "category", "status")
	for _, c := range p.Charges {
		charges.WithLabelValues(c.Category, c.Status).Set(float64(c.Count))
	}
}

func (p *Published) gatherMoney(g gauges) {
	byCurrency(g.vec("net_amount", "Net amount of the statements by currency, before VAT.", "currency"), p.Net)
	rows := g.vec("difference_rows", "Rows of the differences by class and currency.", "class", "currency")
	amounts := g.vec("difference_amount", "What the invoices are above our charges, by class and currency.", "class", "currency")
	absolute := g.vec("difference_absolute_amount", "Sum of the differences, without their signs, by class and currency.", "class", "currency")
	for _, d := range p.Differences {
		rows.WithLabelValues(d.Class, d.Currency).Set(float64(d.Rows))
		amounts.WithLabelValues(d.Class, d.Currency).Set(sample(d.Amount))
		absolute.WithLabelValues(d.Class, d.Currency).Set(sample(d.Absolute))
	}
	byCurrency(g.vec("unexplained_amount", "Sum of the differences, without their signs, whose class names no cause.", "currency"), p.Unexplained)
}

func (p *Published) gatherPeriods(g gauges) {
	g.set("period_start_timestamp_seconds", "First billing date of the last published run.", instant(p.First))
	g.set("period_end_timestamp_seconds", "Day after its last billing date.", instant(p.Until))
	// Without it, that none waits and that nobody could look would be alike: there
	// is no month.
	known := 0.0
	if p.UnsealedKnown {
		known = 1
	}
	g.set("unsealed_month_known", "1 where it is known which months are closed, 0 where they could not be listed.", known)
	if m := p.Unsealed; m != nil {
		g.set("oldest_unsealed_month_start_timestamp_seconds", "First day of the oldest month that has ended, has something published, and is not closed.", instant(m.First))
		g.set("oldest_unsealed_month_end_timestamp_seconds", "First day after that month.", instant(m.Until))
	}
}

func byName(v *prometheus.GaugeVec, counts map[string]int64) {
	for name, n := range counts {
		v.WithLabelValues(name).Set(float64(n))
	}
}

func byCurrency(v *prometheus.GaugeVec, sums []Money) {
	for _, m := range sums {
		v.WithLabelValues(m.Currency).Set(sample(m.Amount))
	}
}

// sample is the float64 nearest to an amount.
func sample(d decimal.Decimal) float64 {
	f, _ := d.Float64()
	return f
}

// instant is a time as Prometheus has it.
func instant(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }
