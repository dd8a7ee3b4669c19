package batch

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"waconcile/reconcile"
	"waconcile/writer"
	"waconcile/writer/report"

	"github.com/shopspring/decimal"
)

// reportRowsMax bounds the findings and rejects that the report shows; the
// tables hold all of them.
const reportRowsMax = 200

// writeReport writes report.html and adds it to the manifest's files.
func (r *run) writeReport(ctx context.Context, res *results, m *writer.Manifest) error {
	var page bytes.Buffer
	findings, err := res.findings.first(reportRowsMax)
	if err != nil {
		return err
	}
	if err := report.Write(&page, r.reportData(res, findings, m)); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	entry, err := writer.WriteFile(ctx, r.job.Out, r.plan.RunKey+"report.html", page.Bytes())
	if err != nil {
		return err
	}
	m.Files = append(m.Files, entry)
	return nil
}

// reportData has nothing that a run's identity does not have: not the version
// of the program either, by which two builds of one run id would differ.
func (r *run) reportData(res *results, findings []finding, m *writer.Manifest) report.Data {
	d := report.Data{
		Period: m.Period, From: r.plan.Period.From.String(), To: r.plan.Period.To.String(),
		RunID: m.RunID, Verdict: m.Verdict, Rules: m.RulesVersion,
		InvoiceBook: m.Settings.InvoiceBook,
		Invoices:    r.plan.in.has(writer.InvoicesInput),
		Findings:    countsOf(m.Counts.Findings), Rejects: countsOf(m.Counts.Rejected),
		MissingDays: m.DaysMissing,
		RowsRead:    res.reading.read, MessagesRead: res.tally.Messages,
	}
	d.Simulated, d.Plan = m.Simulation != nil, simulatedPlan(m)
	for i := range res.statements {
		d.Statements = append(d.Statements, reportStatement(&res.statements[i]))
	}
	if m.RechargeHistory != nil {
		d.Unknown = m.RechargeHistory.Missing
	}
	for i := range res.recharges {
		m := &res.recharges[i]
		d.Recharges = append(d.Recharges, report.Recharge{
			Account: m.Account, Currency: m.Currency, Opening: m.Opening.Decimal(), Bought: m.Bought.Decimal(),
			Used: m.Used.Decimal(), Expired: m.Expired.Decimal(), Closing: m.Closing.Decimal(),
		})
	}
	if res.adjusted != nil {
		d.Sealed = r.plan.standing.sealedRun()
		for key, g := range res.adjusted.groups { // the report sorts
			d.Adjustments = append(d.Adjustments, report.Adjustment{Account: key.account, Currency: key.currency, Kind: string(key.kind), Rows: g.rows, Net: g.net})
		}
	}
	for i := range res.summary {
		s := &res.summary[i]
		d.Summary = append(d.Summary, report.SummaryRow{
			Account: s.Account, Date: s.Date.String(), Market: s.Market, Category: s.Category.String(), Currency: s.Currency,
			Status: s.Status.String(), Quantity: s.Quantity, Net: s.Net, Cost: r.reportCost(s),
		})
	}
	for i := range res.compared.Rows {
		d.Differences = append(d.Differences, reportDifference(&res.compared.Rows[i]))
	}
	for _, f := range findings {
		d.FindingRows = append(d.FindingRows, report.Finding{
			Kind: string(f.kind), Account: f.account, Business: f.business, Contact: f.contact, Message: f.messageID,
			At: time.UnixMilli(f.at).UTC().Format(time.RFC3339), Detail: f.detail,
		})
	}
	for _, j := range res.rejects[:min(len(res.rejects), reportRowsMax)] {
		d.RejectRows = append(d.RejectRows, report.Reject{File: j.File, Row: j.Row, Reason: string(j.Reason), Detail: j.Detail})
	}
	for _, c := range m.Control {
		d.Controls = append(d.Controls, report.Control{Name: c.Text, Left: c.Left, Right: c.Right, OK: c.OK})
	}
	for _, in := range m.Inputs {
		d.Inputs = append(d.Inputs, report.Input{Kind: in.Table, Key: in.Key, Identity: in.Identity, Size: in.Size, Rows: in.Rows})
	}
	for _, f := range m.Files {
		d.Files = append(d.Files, report.File{Name: f.Name, SHA256: f.SHA256, Bytes: f.Bytes, Rows: f.Rows})
	}
	return d
}

func reportStatement(s *reconcile.Statement) report.Statement {
	out := report.Statement{
		Account: s.Account, Currency: s.Currency, Charges: s.Charges, Unrated: s.Unrated,
		Net: s.Net, Prepaid: s.Prepaid, Payable: s.Payable, VAT: s.VAT, Gross: s.Gross, Adjusted: s.Adjusted, Note: s.Note(),
	}
	if s.VATRate != nil {
		out.VATRate = decimal.NewNullDecimal(*s.VATRate)
	}
	return out
}

func reportDifference(d *reconcile.Difference) report.Difference {
	out := report.Difference{
		Invoice: d.InvoiceID, Lines: d.LineIDs, Account: d.Account, BusinessNumber: d.Business,
		From: d.From.String(), To: d.To.String(), Market: d.Market, Category: d.Category.String(),
		Currency: d.Currency, Class: string(d.Class), Detail: d.Detail,
	}
	e := d.Effects
	if e == nil {
		return out
	}
	out.OurQuantity = decimal.NewNullDecimal(decimal.NewFromInt(e.OurQuantity))
	if e.TheirQuantity != nil {
		out.TheirQuantity = decimal.NewNullDecimal(*e.TheirQuantity)
	}
	out.OurAmount, out.TheirAmount = decimal.NewNullDecimal(e.OurAmount), decimal.NewNullDecimal(e.TheirAmount)
	out.Amount = decimal.NewNullDecimal(e.AmountDifference)
	out.QuantityEffect, out.PriceEffect = decimal.NewNullDecimal(e.QuantityEffect), decimal.NewNullDecimal(e.PriceEffect)
	out.ArithmeticEffect, out.RoundingEffect = decimal.NewNullDecimal(e.ArithmeticEffect), decimal.NewNullDecimal(e.RoundingEffect)
	return out
}

func countsOf(counts map[string]int64) []report.Count {
	out := make([]report.Count, 0, len(counts))
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		out = append(out, report.Count{Name: name, N: counts[name]})
	}
	return out
}
