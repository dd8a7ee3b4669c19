package batch

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"waconcile/reader"
	"waconcile/reconcile"
	"waconcile/writer"
	"waconcile/writer/writertest"

	"github.com/google/go-cmp/cmp"
)

// vatRates are the accounts with a VAT rate from each date on, the first from
// the beginning: "0.22", "2024-06-10 0.10".
func (b *books) vatRates(rates ...string) {
	rows := []string{strings.SplitN(bookAccounts, "\n", 2)[0]}
	for i, rate := range rates {
		from, vat, dated := strings.Cut(rate, " ")
		if !dated {
			from, vat = "", rate
		}
		to := ""
		if i+1 < len(rates) {
			to, _, _ = strings.Cut(rates[i+1], " ")
		}
		rows = append(rows, fmt.Sprintf("acme,Acme,list,,,UTC,%s,,%s,%s", vat, from, to))
	}
	b.accounts = strings.Join(rows, "\n") + "\n"
}

// wantVAT compares the adjustments of a run: kind, contact and VAT rate.
func (b *books) wantVAT(res *Result, want ...string) {
	b.t.Helper()
	var got []string
	for a, err := range readAdjustments(b.t.Context(), b.out, res.RunKey+"adjustments.parquet") {
		if err != nil {
			b.t.Fatal(err)
		}
		got = append(got, fmt.Sprintf("%s %s %s", a.Kind, a.Contact, a.VAT))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		b.t.Errorf("VAT of the adjustments (-want +got):\n%s", diff)
	}
}

// A VAT rate that was wrong is taken back and billed anew, without a file of
// charges that differs; what the accounts say later of the closed month has no
// part in the statements that take it in.
func TestAdjustVAT(t *testing.T) {
	t.Parallel()
	b := newBooks(t, &writertest.Mem{})
	free := b.message("39100000009", "2024-06-16")
	free.Category = "authentication" // without a price, so at no VAT rate
	b.put("a", free)
	b.fresh("2024-06")
	b.close("2024-06")
	b.vatRates("0.22", "2024-06-10 0.10")
	b.wantVAT(b.fresh("2024-06"), "reversal 39100000002 0.22", "replacement 39100000002 0.1")
	b.wantStatements(b.fresh("2024-07"), "own 2 0.2 0.22", "2024-06 1 0.1 0.11", "2024-06 -1 -0.1 -0.12")

	// One goes that was billed at the first rate, one at the second, and one
	// is late; the accounts of the month that takes them in cover no day of June.
	delete(b.exports, "dt=2024-06-20/a.parquet")
	b.put("a", b.message("39100000007", "2024-06-20"))
	delete(b.exports, "dt=2024-06-03/a.parquet")
	b.put("a", b.message("39100000008", "2024-06-03"))
	b.vatRates("0.15")
	b.wantVAT(b.fresh("2024-06"),
		"reversal 39100000001 0.22", "replacement 39100000008 0.15",
		"reversal 39100000002 0.1", "replacement 39100000007 0.15")
	b.vatRates("2024-07-01 0.10")
	b.wantStatements(b.fresh("2024-07"),
		"own 2 0.2 0.22", "2024-06 0 0 0", "2024-06 2 0.2 0.23", "2024-06 -2 -0.2 -0.24")
}

// Where an account was billed at several rates, the statements say which, and
// the accounts table on which dates. A table that does not explain them is
// refused, rather than a correction lost or a wrong rate credited.
func TestAdjustSeveralVATRates(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name string
		now  []string
		want []string // VAT of the adjustments; nil: refused
	}{
		{"as they were", []string{"0.10", "2024-06-15 0.22"}, []string{"replacement 39100000005 0.1"}},
		{"of other days without charges", []string{"0.10", "2024-06-18 0.22"}, []string{"replacement 39100000005 0.1"}},
		{"of days with charges", []string{"0.10", "2024-06-25 0.22"}, nil},
		{"swapped", []string{"0.22", "2024-06-15 0.10"}, nil},
		{"another", []string{"0.15", "2024-06-15 0.22"}, nil},
		{"one of them", []string{"0.22"}, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			b := newBooks(t, &writertest.Mem{})
			b.put("a", b.message("39100000003", "2024-06-20")) // so that the sums of the rates differ
			b.vatRates("0.10", "2024-06-15 0.22")
			b.fresh("2024-06")
			b.close("2024-06")
			b.put("late", b.message("39100000005", "2024-06-10"))
			b.vatRates(tc.now...)
			if tc.want != nil {
				b.wantVAT(b.fresh("2024-06"), tc.want...)
				return
			}
			before := b.listing()["adjusted/2024-06.json"]
			_, err := Run(t.Context(), b.job("2024-06"))
			if !errors.Is(err, reader.ErrInput) || !errors.Is(err, reconcile.ErrBilledVAT) || !strings.Contains(err.Error(), `account "acme"`) {
				t.Errorf("got %v", err)
			}
			if b.listing()["adjusted/2024-06.json"] != before {
				t.Error("the pointer moved")
			}
		})
	}
}

// Verify notices a VAT rate that was not billed, and statements at another
// than the adjustments have.
func TestVerifyAdjustmentVAT(t *testing.T) {
	t.Parallel()
	out := &writertest.Mem{}
	b := newBooks(t, out)
	b.fresh("2024-06")
	b.close("2024-06")
	b.vatRates("0.10")
	late := b.fresh("2024-06")
	for row := range 4 {
		place := forge(t, out, late.RunKey, func(f *forger) { f.rows[row].VAT.Rate += 10_000 })
		if err := place.Remove(t.Context(), "adjusted/2024-06.json"); err != nil {
			t.Fatal(err)
		}
		if _, err := writer.Verify(t.Context(), place, late.RunKey, "2024-06"); !errors.Is(err, writer.ErrVerify) || !strings.Contains(err.Error(), "adjustment VAT") {
			t.Errorf("row %d: %v", row, err)
		}
	}
}
