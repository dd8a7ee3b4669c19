package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/shopspring/decimal"
)

// printFigures writes the summary of a run to stdout: text for a person, and
// where the log is JSON, JSON as well, since no person looks on.
func (a *app) printFigures(f *figures) error {
	if a.settings.json || jsonLogs(a.settings.logFormat, a.stderr) {
		return printJSON(a.stdout, f)
	}
	_, err := io.WriteString(a.stdout, f.text())
	return err
}

func (f *figures) text() string {
	parts := []string{
		f.headText(),
		textTable([][]string{{"rows", grouped(f.Rows)}, {"messages", grouped(f.Messages)}}),
		textTable(f.conversationRows()),
		textTable(f.statementRows()),
		textTable(f.marginRows()),
		f.rechargeText(),
		f.differencesText(),
		f.closedText(),
		textTable(countRows("findings", f.Findings)),
		textTable(countRows("rejected rows", f.Rejects)),
		f.comparisonText(),
		fmt.Sprintf("tables: %s\nreport: %sreport.html\nnext:   %s\n", f.Tables, f.Tables, f.Next),
	}
	parts = slices.DeleteFunc(parts, func(p string) bool { return p == "" })
	return strings.Join(parts, "\n")
}

func (f *figures) conversationRows() [][]string {
	rows := [][]string{{"conversations", "charged", "free", "unrated"}}
	var sum categoryCount
	for _, c := range f.Conversations {
		rows = append(rows, []string{c.Category, grouped(c.Charged), grouped(c.Free), grouped(c.Unrated)})
		sum.Charged += c.Charged
		sum.Free += c.Free
		sum.Unrated += c.Unrated
	}
	return append(rows, []string{"all", grouped(sum.Charged), grouped(sum.Free), grouped(sum.Unrated)})
}

func (f *figures) statementRows() [][]string {
	if len(f.Statements) == 0 {
		return nil
	}
	title := "statements"
	if f.Adjustments != nil || f.Simulation != nil {
		title = "statements, not to be billed"
	}
	rows := [][]string{{title, "net", "prepaid", "payable", "vat", "gross"}}
	for _, t := range f.Statements {
		rows = append(rows, []string{t.Currency, money(t.Net), money(t.Prepaid), money(t.Payable), money(t.VAT), money(t.Gross)})
	}
	if !slices.ContainsFunc(f.Statements, func(t currencyTotal) bool { return !t.Prepaid.IsZero() }) {
		for i, r := range rows { // then payable is net
			rows[i] = slices.Concat(r[:2], r[4:])
		}
	}
	return rows
}

func (f *figures) rechargeText() string {
	if len(f.Recharges) == 0 {
		return ""
	}
	rows := [][]string{{"recharges", "opening", "bought", "used", "expired", "closing"}}
	for _, t := range f.Recharges {
		rows = append(rows, []string{t.Currency, money(t.Opening), money(t.Bought), money(t.Used), money(t.Expired), money(t.Closing)})
	}
	text := textTable(rows)
	if n := len(f.Unknown); n > 0 {
		text += fmt.Sprintf("there is no data on %d days since the first purchase (%s to %s): what they took is not known\n", n, f.Unknown[0], f.Unknown[n-1])
	}
	return text
}

func (f *figures) differencesText() string {
	if len(f.Differences) == 0 {
		return "differences: none\n"
	}
	title := "differences"
	if f.InvoiceBook != "" {
		title += ", " + f.InvoiceBook + " book"
	}
	rows := [][]string{{title, "rows", "billed too much", ""}}
	for _, d := range f.Differences {
		rows = append(rows, []string{d.Class, grouped(d.Rows), money(d.Amount), d.Currency})
	}
	return textTable(rows)
}

func countRows(title string, counts map[string]int64) [][]string {
	rows := [][]string{{title, grouped(total(counts))}}
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		rows = append(rows, []string{"  " + name, grouped(counts[name])})
	}
	return rows
}

func total(counts map[string]int64) int64 {
	var n int64
	for _, c := range counts {
		n += c
	}
	return n
}

// columnGap is how far the columns of a text table are apart.
const columnGap = 2

// textTable aligns cells: the first column to the left, the others to the
// right.
func textTable(rows [][]string) string { return alignedTable(rows, 1) }

// alignedTable is textTable with that many columns to the left.
func alignedTable(rows [][]string, left int) string {
	var widths []int
	for _, r := range rows {
		for i, cell := range r {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	var b strings.Builder
	for _, r := range rows {
		var line strings.Builder
		for i, cell := range r {
			pad := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell))
			if i > 0 {
				line.WriteString(strings.Repeat(" ", columnGap))
			}
			if i < left {
				line.WriteString(cell + pad)
			} else {
				line.WriteString(pad + cell)
			}
		}
		b.WriteString(strings.TrimRight(line.String(), " ") + "\n")
	}
	return b.String()
}

// grouped writes a count with thousands apart: 1,234,567.
func grouped(n int64) string { return groupDigits(strconv.FormatInt(n, 10)) }

// moneyPlaces are the decimals of an amount in a summary, if it does not need
// more to be exact.
const moneyPlaces = 2

// money writes an amount exactly, with thousands apart and at least two
// decimals.
func money(d decimal.Decimal) string {
	places := int32(moneyPlaces)
	for !d.Equal(d.Truncate(places)) {
		places++
	}
	whole, fraction, _ := strings.Cut(d.StringFixed(places), ".")
	return groupDigits(whole) + "." + fraction
}

const digitsTogether = 3

func groupDigits(digits string) string {
	sign := ""
	if rest, ok := strings.CutPrefix(digits, "-"); ok {
		sign, digits = "-", rest
	}
	for i := len(digits) - digitsTogether; i > 0; i -= digitsTogether {
		digits = digits[:i] + "," + digits[i:]
	}
	return sign + digits
}
