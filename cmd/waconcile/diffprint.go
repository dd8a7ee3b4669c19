package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"waconcile/batch"

	"github.com/shopspring/decimal"
)

// diffPrinter prints a comparison: as text the totals and the first charges,
// as JSON one object with all of them, written as they come, since there can
// be millions.
type diffPrinter interface {
	charge(*batch.ChargeDiff) error
	end(*batch.DiffTotals) error
}

func (a *app) diffPrinter(job *batch.DiffJob, limit int) diffPrinter {
	if a.settings.json {
		return &jsonDiff{job: job, out: bufio.NewWriter(a.stdout)}
	}
	return &textDiff{job: job, out: a.stdout, limit: limit}
}

// textDiff keeps what it lists until the totals are known.
type textDiff struct {
	job    *batch.DiffJob
	out    io.Writer
	limit  int
	listed []*batch.ChargeDiff
}

func (p *textDiff) charge(d *batch.ChargeDiff) error {
	if len(p.listed) < p.limit {
		p.listed = append(p.listed, d)
	}
	return nil
}

func (p *textDiff) end(t *batch.DiffTotals) error {
	var b strings.Builder
	fmt.Fprintf(&b, "A  %s\nB  %s\n\n", p.job.A.RunKey(), p.job.B.RunKey())
	all := int64(0)
	for _, n := range t.Charges {
		all += n
	}
	if all == 0 {
		b.WriteString(sameCharges(p.job) + "\n")
		_, err := io.WriteString(p.out, b.String())
		return err
	}
	b.WriteString(textTable([][]string{
		{"came", grouped(t.Charges[batch.Came])}, {"went", grouped(t.Charges[batch.Went])}, {"changed", grouped(t.Charges[batch.Changed])},
	}))
	b.WriteString("\n" + textTable(diffTotalRows(t.Rows, "amount")))
	if p.job.Costs() {
		b.WriteString("\n" + textTable(diffTotalRows(t.Costs, "cost")))
	}
	if len(p.listed) > 0 {
		b.WriteString("\n")
		p.list(&b)
	}
	if left := all - int64(len(p.listed)); left > 0 {
		fmt.Fprintf(&b, "%s more: --limit lists more of them, --json all\n", grouped(left))
	}
	_, err := io.WriteString(p.out, b.String())
	return err
}

func sameCharges(job *batch.DiffJob) string {
	if job.A.RunID == job.B.RunID {
		return "A and B are the same run"
	}
	return "the charges are the same"
}

func diffTotalRows(totals []batch.DiffTotal, of string) [][]string {
	rows := [][]string{{"why", "what", "charges", of + " in A", of + " in B", "difference", ""}}
	for _, r := range totals {
		rows = append(rows, []string{
			r.Reason, string(r.Kind), grouped(r.Charges), money(r.Old), money(r.New), money(r.New.Sub(r.Old)), r.Currency,
		})
	}
	return rows
}

// list writes one line for each charge.
func (p *textDiff) list(b *strings.Builder) {
	w := tabwriter.NewWriter(b, 0, 0, columnGap, ' ', 0)
	for _, d := range p.listed {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", d.Date, d.Account, d.Business, d.Contact, d.Category, d.Kind, d.ReasonText(), diffDetail(d))
	}
	_ = w.Flush() // a strings.Builder never fails
}

// diffDetail is what a charge that came or went costs, and which message
// opened it, or what of it changed.
func diffDetail(d *batch.ChargeDiff) string {
	if d.Kind != batch.Changed {
		cost := d.New
		if cost == nil {
			cost = d.Old
		}
		text := "unrated"
		if cost.Amount != "" {
			text = strings.TrimSpace(shortNumber(cost.Amount) + " " + cost.Currency)
		}
		return text + ", opened by " + d.OpenedBy
	}
	var parts []string
	for _, c := range d.Columns {
		parts = append(parts, fmt.Sprintf("%s %s → %s", c.Name, cellText(c.Old), cellText(c.New)))
	}
	return strings.Join(parts, ", ")
}

func cellText(text *string) string {
	switch {
	case text == nil:
		return "none"
	case *text == "":
		return `""`
	}
	return shortNumber(*text)
}

// shortNumber leaves out the zeros at the end of an amount.
func shortNumber(text string) string {
	whole, fraction, ok := strings.Cut(text, ".")
	if !ok || len(fraction) != 6 {
		return text
	}
	d, err := decimal.NewFromString(whole + "." + fraction)
	if err != nil {
		return text
	}
	return money(d)
}

// jsonDiff writes one JSON object on one line.
type jsonDiff struct {
	job   *batch.DiffJob
	out   *bufio.Writer // keeps its first error until it is flushed
	begun bool
	some  bool
}

func (p *jsonDiff) charge(d *batch.ChargeDiff) error {
	if err := p.begin(); err != nil {
		return err
	}
	comma := ","
	if !p.some {
		comma = ""
	}
	p.some = true
	return p.put(comma, d)
}

// begin writes what comes before the charges, once.
func (p *jsonDiff) begin() error {
	if p.begun {
		return nil
	}
	p.begun = true
	err := errors.Join(p.put(`{"period":`, p.job.A.Period), p.put(`,"a":`, p.job.A.RunKey()), p.put(`,"b":`, p.job.B.RunKey()))
	p.out.WriteString(`,"charges":[`)
	return err
}

// put writes a value behind some text.
func (p *jsonDiff) put(text string, v any) error {
	var b bytes.Buffer
	if err := printJSON(&b, v); err != nil {
		return err
	}
	p.out.WriteString(text)
	_, err := p.out.Write(bytes.TrimSuffix(b.Bytes(), []byte("\n")))
	return err
}

func (p *jsonDiff) end(t *batch.DiffTotals) error {
	err := p.begin()
	p.out.WriteString("]")
	err = errors.Join(err, p.put(`,"came":`, t.Charges[batch.Came]), p.put(`,"went":`, t.Charges[batch.Went]),
		p.put(`,"changed":`, t.Charges[batch.Changed]), p.put(`,"totals":`, append([]batch.DiffTotal{}, t.Rows...)))
	if p.job.Costs() {
		err = errors.Join(err, p.put(`,"cost_totals":`, append([]batch.DiffTotal{}, t.Costs...)))
	}
	p.out.WriteString("}\n")
	return errors.Join(err, p.out.Flush())
}
