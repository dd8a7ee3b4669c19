package reconcile

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestOverlaps(t *testing.T) {
	t.Parallel()
	cell := func(id, business, market string, category Category, from, to string) InvoiceLine {
		return with(line(id, "1", "1", ""), func(l *InvoiceLine) {
			l.Business, l.Market, l.Category = business, market, category
			l.From, l.To = mustDate("2024-07-"+from), mustDate("2024-07-"+to)
		})
	}
	all := func(id, from, to string) InvoiceLine { return cell(id, "", "", NoCategory, from, to) }
	in := func(id, market, from, to string) InvoiceLine { return cell(id, "", market, NoCategory, from, to) }
	for _, c := range []struct {
		name  string
		lines []InvoiceLine
		want  string // the two lines, the later first; empty for none
	}{
		{"the same cell", []InvoiceLine{all("1", "01", "31"), all("2", "01", "31")}, ""},
		{"days side by side", []InvoiceLine{all("1", "01", "15"), all("2", "16", "31")}, ""},
		{"one day shared", []InvoiceLine{all("1", "16", "31"), all("2", "01", "16")}, "2 1"},
		{"a long line hides behind a short one", []InvoiceLine{all("1", "01", "31"), all("2", "02", "02"), all("3", "20", "21")}, "2 1"},
		{"a long number hides behind a short one", []InvoiceLine{
			cell("1", "391", "", NoCategory, "01", "31"), cell("2", "392", "", NoCategory, "02", "02"), all("3", "20", "21"),
		}, "3 1"},
		{"a long country hides behind a short one", []InvoiceLine{in("1", "FR", "01", "31"), in("2", "BE", "02", "02"), in("3", "West", "20", "21")}, "3 1"},
		{"other account", []InvoiceLine{all("1", "01", "31"), with(all("2", "01", "02"), func(l *InvoiceLine) { l.Account = "B" })}, ""},
		{"other currency", []InvoiceLine{all("1", "01", "31"), with(all("2", "01", "02"), func(l *InvoiceLine) { l.Currency = "USD" })}, ""},
		{"a credit claims nothing", []InvoiceLine{all("1", "01", "31"), with(all("2", "01", "02"), func(l *InvoiceLine) { l.Kind = CreditLine })}, ""},
		{"a fee claims nothing", []InvoiceLine{all("1", "01", "31"), with(all("2", "01", "02"), func(l *InvoiceLine) { l.Kind = FeeLine })}, ""},
		{"outside the period all the same", []InvoiceLine{
			with(all("1", "01", "31"), func(l *InvoiceLine) { l.From, l.To = july1-30, july1-1 }),
			with(all("2", "01", "31"), func(l *InvoiceLine) { l.From, l.To = july1-2, july1-2 }),
		}, "2 1"},
		{"numbers apart", []InvoiceLine{cell("1", "391", "", NoCategory, "01", "31"), cell("2", "392", "", NoCategory, "01", "31")}, ""},
		{"number in all numbers", []InvoiceLine{cell("1", "391", "", NoCategory, "01", "31"), all("2", "31", "31")}, "2 1"},
		{"category in all categories", []InvoiceLine{cell("1", "", "", Utility, "01", "31"), all("2", "31", "31")}, "2 1"},
		{"neither inside the other", []InvoiceLine{cell("1", "391", "", Utility, "01", "31"), cell("2", "", "FR", Utility, "05", "05")}, "2 1"},
		{"neither inside the other, categories apart", []InvoiceLine{cell("1", "391", "", Utility, "01", "31"), cell("2", "", "FR", Marketing, "05", "05")}, ""},
		{"country in its market", []InvoiceLine{in("1", "West", "01", "31"), in("2", "FR", "05", "05")}, "2 1"},
		{"market around a country", []InvoiceLine{in("1", "FR", "01", "31"), in("2", "West", "05", "05")}, "2 1"},
		{"two countries of one market", []InvoiceLine{in("1", "FR", "01", "31"), in("2", "BE", "01", "31")}, ""},
		{"country and another market", []InvoiceLine{in("1", "FR", "01", "31"), in("2", "IT", "01", "31")}, ""},
		{"country in all markets", []InvoiceLine{in("1", "FR", "01", "31"), all("2", "05", "05")}, "2 1"},
		{"country before it moves", []InvoiceLine{in("1", "SM", "01", "31"), in("2", "West", "15", "31")}, "2 1"},
		{"country after it moved away", []InvoiceLine{in("1", "SM", "01", "31"), in("2", "West", "16", "31")}, ""},
		{"country in a market named like a country", []InvoiceLine{in("1", "SM", "01", "31"), in("2", "IT", "01", "16")}, "2 1"},
		{"a market nobody knows, other days", []InvoiceLine{in("1", "Atlantis", "01", "20"), in("2", "Atlantis", "20", "31")}, "2 1"},
		{"markets nobody knows", []InvoiceLine{in("1", "Atlantis", "01", "20"), in("2", "Lemuria", "20", "31")}, ""},
		{"case of a country", []InvoiceLine{in("1", "fr", "01", "31"), in("2", "FR", "01", "31")}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, err := NewPool(c.lines, july1, july31, exampleMarkets(t))
			got := ""
			if rowError, ok := errors.AsType[*RowError](err); ok {
				got = rowError.Where[len("july.csv:"):] + " " + rowError.Other[len("july.csv:"):]
			} else if err != nil {
				t.Fatal(err)
			}
			if got != c.want {
				t.Errorf("overlap %q, want %q", got, c.want)
			}
		})
	}
}

func TestOverlapMessage(t *testing.T) {
	t.Parallel()
	later := with(line("2", "1", "1", ""), func(l *InvoiceLine) { l.Category = Utility })
	_, err := NewPool([]InvoiceLine{line("1", "1", "1", ""), later}, july1, july31, exampleMarkets(t))
	const want = "july.csv:2: overlaps july.csv:1: both cover the same charges without naming the same cell"
	if err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
}

func TestRefusedLines(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		change func(*InvoiceLine)
		want   string // empty for none
	}{
		{"no account", func(l *InvoiceLine) { l.Account = "" }, "july.csv:1: account_id is empty"},
		{"dates the wrong way round", func(l *InvoiceLine) { l.From = l.To + 1 }, "july.csv:1: date_from 2024-08-01 lies after date_to 2024-07-31"},
		{"unknown currency", func(l *InvoiceLine) { l.Currency = "eur" }, `july.csv:1: currency "eur" is not known`},
		{"no amount and no price", func(l *InvoiceLine) { l.Amount, l.UnitPrice = nil, nil }, "july.csv:1: amount is empty, and so is quantity or unit_price"},
		{"amount that quantity and price give", func(l *InvoiceLine) { l.Amount = nil }, ""},
		{"fine quantity", func(l *InvoiceLine) { l.Quantity = optional("1.0000001") }, "july.csv:1: quantity 1.0000001 has more than 6 decimals"},
		{"fine amount", func(l *InvoiceLine) { l.Amount, l.AmountGiven = optional("1.0000001"), true }, "july.csv:1: amount 1.0000001 has more than 6 decimals"},
		{"fine unit price", func(l *InvoiceLine) { l.UnitPrice = optional("0.00000001") }, ""},
		{"fee", func(l *InvoiceLine) { l.Kind, l.Account, l.Currency = FeeLine, "", "?" }, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, err := NewPool([]InvoiceLine{with(line("1", "2", "1", ""), c.change)}, july1, july31, exampleMarkets(t))
			got := ""
			if err != nil {
				got = err.Error()
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("error (-want +got):\n%s", diff)
			}
		})
	}
}

func TestParseLineKind(t *testing.T) {
	t.Parallel()
	for k := range LineKind(LineKindCount) {
		if got, ok := ParseLineKind(k.String()); got != k || !ok {
			t.Errorf("ParseLineKind(%q) = %v, %v", k.String(), got, ok)
		}
	}
	for text, want := range map[string]bool{"": true, "Credit": true, "USAGE": true, "refund": false} {
		if _, ok := ParseLineKind(text); ok != want {
			t.Errorf("ParseLineKind(%q) ok = %v", text, ok)
		}
	}
}
