package demo

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"github.com/shopspring/decimal"
)

// invoiceKind says what invoice an account gets.
type invoiceKind uint8

const (
	invoiceNone invoiceKind = iota
	invoiceRight
	invoiceWrong
)

// The billing dates of the period.
const (
	periodFrom = "2024-07-01"
	periodTo   = "2024-07-31"
)

// WriteInvoices makes the invoices from the usage that a run without them
// counted, plants the mistakes, notes them in m.Planted and names the invoices
// in the configuration. The same usage gives the same bytes, whatever its
// order. An account without usage gets no invoice; usage of a few cells only
// has room for fewer mistakes.
func (m *Made) WriteInvoices(usage []UsageCell) error {
	m.Planted = nil
	if err := os.MkdirAll(m.Invoices, 0o755); err != nil {
		return fmt.Errorf("make invoices: %w", err)
	}
	for _, a := range accounts() {
		lines := linesOf(usage, a.id)
		if a.invoice == invoiceNone || len(lines) == 0 {
			continue
		}
		v := invoice{id: "INV-" + Period + "-" + a.id, account: a.id, vat: a.terms.vat}
		for _, l := range lines {
			v.add(l)
		}
		if a.invoice == invoiceWrong {
			m.Planted = append(m.Planted, v.plant(lines)...)
		}
		if err := v.write(filepath.Join(m.Invoices, a.id+".csv")); err != nil {
			return fmt.Errorf("make invoices: %w", err)
		}
	}
	if err := m.writeConfig(true); err != nil {
		return fmt.Errorf("make invoices: %w", err)
	}
	return nil
}

// invoice is one invoice in the making: a usage line for each cell.
type invoice struct {
	id, account string
	vat         string // a fraction
	rows        []row
}

// row is one usage line as it will be billed.
type row struct {
	line
	skipped bool // planted: the line is not on the invoice
}

func (v *invoice) add(l line) { v.rows = append(v.rows, row{line: l}) }

// write makes the file: the usage lines, then per currency a fee, the tax of
// both, and the total, none of which are compared.
func (v *invoice) write(path string) error {
	var buffer bytes.Buffer
	w := csv.NewWriter(&buffer)
	records := [][]string{{
		"invoice_id", "line_id", "account_id", "business_number", "date_from", "date_to",
		"market", "category", "kind", "quantity", "unit_price", "amount", "currency",
	}}
	sums := map[string]decimal.Decimal{}
	var currencies []string
	add := func(market, category, kind, quantity, price, amount, currency string) {
		records = append(records, []string{
			v.id, strconv.Itoa(len(records)), v.account, "", periodFrom, periodTo,
			market, category, kind, quantity, price, amount, currency,
		})
	}
	for _, r := range v.rows {
		if r.skipped {
			continue
		}
		price := ""
		if r.onePrice {
			price = r.price.String()
		}
		add(r.market, r.category, "usage", strconv.FormatInt(r.quantity, 10), price, r.amount.String(), r.currency)
		if _, ok := sums[r.currency]; !ok {
			currencies = append(currencies, r.currency)
		}
		sums[r.currency] = sums[r.currency].Add(r.amount)
	}
	vat, err := decimal.NewFromString(v.vat)
	if err != nil {
		return err
	}
	const cents = 2
	fee := decimal.New(4900, -cents)
	for _, currency := range currencies {
		add("", "", "fee", "", "", fee.StringFixed(cents), currency)
		net := sums[currency].Add(fee).Round(cents)
		tax := net.Mul(vat).Round(cents)
		add("", "", "tax", "", "", tax.StringFixed(cents), currency)
		add("", "", "total", "", "", net.Add(tax).StringFixed(cents), currency)
	}
	if err := w.WriteAll(records); err != nil {
		return err
	}
	return os.WriteFile(path, buffer.Bytes(), 0o644)
}
