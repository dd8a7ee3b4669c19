package main

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/shopspring/decimal"
)

// printFigures writes the summary of a run to stdout.
func (a *app) printFigures(f *figures) error {
	if a.settings.json {
		return printJSON(a.stdout, f)
	}
	w := &layout{tabwriter.NewWriter(a.stdout, 0, 0, 2, ' ', tabwriter.AlignRight)}
	f.print(w)
	return w.table.Flush()
}

// layout writes lines of cells. Its errors come out at the end, from Flush.
type layout struct{ table *tabwriter.Writer }

// line writes one line of aligned cells.
func (l *layout) line(cells ...string) {
	fmt.Fprintln(l.table, strings.Join(cells, "\t")+"\t")
}

// text writes a line that is no part of a table.
func (l *layout) text(format string, args ...any) {
	_ = l.table.Flush()
	fmt.Fprintf(l.table, format+"\n", args...)
	_ = l.table.Flush()
}

func (f *figures) print(w *layout) {
	state := "published"
	if f.Already {
		state = "was published before with the same inputs"
	}
	w.text("%s: run %s %s (%s)", f.Period, f.RunID, state, f.Verdict)
	w.text("")
	w.line("messages", grouped(f.Messages))
	w.line("rejected rows", grouped(f.Rejects))
	w.line("findings", grouped(f.Findings))
	f.printConversations(w)
	f.printStatements(w)
	f.printDifferences(w)
	w.text("")
	w.text("tables: %s", f.Tables)
	w.text("next:   %s", f.Next)
}

func (f *figures) printConversations(w *layout) {
	w.text("")
	w.line("conversations", "charged", "free", "unrated")
	var sum categoryCount
	for _, c := range f.Conversations {
		w.line(c.Category, grouped(c.Charged), grouped(c.Free), grouped(c.Unrated))
		sum.Charged += c.Charged
		sum.Free += c.Free
		sum.Unrated += c.Unrated
	}
	w.line("all", grouped(sum.Charged), grouped(sum.Free), grouped(sum.Unrated))
}

func (f *figures) printStatements(w *layout) {
	if len(f.Statements) == 0 {
		return
	}
	w.text("")
	w.line("currency", "net", "vat", "gross")
	for _, t := range f.Statements {
		w.line(t.Currency, money(t.Net), money(t.VAT), money(t.Gross))
	}
}

func (f *figures) printDifferences(w *layout) {
	w.text("")
	if len(f.Differences) == 0 {
		w.text("differences: none, as there is no invoice")
		return
	}
	w.line("differences", "rows", "billed too much", "")
	for _, d := range f.Differences {
		w.line(d.Class, grouped(d.Rows), money(d.Amount), d.Currency)
	}
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

// printLines writes text lines to w.
func printLines(w io.Writer, lines ...string) error {
	_, err := fmt.Fprintln(w, strings.Join(lines, "\n"))
	return err
}
