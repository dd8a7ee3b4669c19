package reader_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"waconcile/reader"
	"waconcile/reconcile"
)

const rechargesHeader = "recharge_id,account_id,plan,purchased_at,net_amount,currency,expires_at\n"

func TestRecharges(t *testing.T) {
	t.Parallel()
	recharges, read, err := reader.ReadRecharges(t.Context(), files(map[string]string{
		"a.csv": rechargesHeader +
			"R2,acme,large,2024-07-03T09:30:00+02:00,500,eur,2025-07-03 07:30:00.1239\n" +
			"R1,acme,small,2024-07-03 07:30:00,49.999999,EUR,\n",
		"b.csv": "expires_at,recharge_id,account_id,plan,purchased_at,net_amount,currency\n,R0,bee,small,2024-07-03,1,JPY\n",
	}))
	if err != nil {
		t.Fatal(err)
	}
	if len(read) != 2 || read[0].Rows != 2 || read[1].Rows != 1 {
		t.Errorf("read %+v", read)
	}
	at := time.Date(2024, 7, 3, 7, 30, 0, 0, time.UTC).UnixMilli()
	want := []*reconcile.Recharge{
		{Where: "a.csv:3", ID: "R1", Account: "acme", Plan: "small", PurchasedAt: at, ExpiresAt: reconcile.NeverExpires, Net: 49_999_999, Currency: "EUR"},
		{Where: "a.csv:2", ID: "R2", Account: "acme", Plan: "large", PurchasedAt: at,
			ExpiresAt: time.Date(2025, 7, 3, 7, 30, 0, 123e6, time.UTC).UnixMilli(), Net: 500_000_000, Currency: "EUR"},
	}
	if diff := cmp.Diff(want, recharges.Of("acme")); diff != "" {
		t.Errorf("of acme (-want +got):\n%s", diff)
	}
	if first, ok := recharges.First(); !ok || first != mustDate(t, "2024-07-03").Start() {
		t.Errorf("first purchase at %d, %v", first, ok)
	}
	if none, read, err := reader.ReadRecharges(t.Context(), files(nil)); err != nil || len(read) != 0 || len(none.Rows()) != 0 {
		t.Errorf("of nothing: %v, %v, %v", none, read, err)
	}
}

func TestRechargesRefused(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, rows, want string }{
		{"no id", ",acme,p,2024-07-03,1,EUR,\n", "r.csv:2 column recharge_id: value is missing"},
		{"no account", "R,,p,2024-07-03,1,EUR,\n", "r.csv:2 column account_id: value is missing"},
		{"no plan", "R,acme,,2024-07-03,1,EUR,\n", "r.csv:2 column plan: value is missing"},
		{"no purchase", "R,acme,p,,1,EUR,\n", "r.csv:2 column purchased_at: value is missing"},
		{"bad purchase", "R,acme,p,03/07/2024,1,EUR,\n", `r.csv:2 column purchased_at: "03/07/2024" is no instant such as 2024-07-03T09:30:00Z`},
		{"bad expiry", "R,acme,p,2024-07-03,1,EUR,never\n", `r.csv:2 column expires_at: "never" is no instant such as 2024-07-03T09:30:00Z`},
		{"expires at once", "R,acme,p,2024-07-03,1,EUR,2024-07-03T00:00:00Z\n", "r.csv:2 column expires_at: 2024-07-03T00:00:00Z is not after purchased_at 2024-07-03"},
		{"nothing bought", "R,acme,p,2024-07-03,0,EUR,\n", "r.csv:2 column net_amount: 0 is not above 0"},
		{"taken back", "R,acme,p,2024-07-03,-5,EUR,\n", "r.csv:2 column net_amount: -5 is not above 0"},
		{"seven decimals", "R,acme,p,2024-07-03,1.0000001,EUR,\n", `r.csv:2 column net_amount: "1.0000001" has more than 6 decimals`},
		{"no currency", "R,acme,p,2024-07-03,1,XXX,\n", `r.csv:2 column currency: "XXX" is no currency of ISO 4217`},
		{"id twice", "R,acme,p,2024-07-03,1,EUR,\nR,bee,p,2024-07-04,1,EUR,\n", `r.csv:3: recharge_id "R" is that of r.csv:2`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, _, err := reader.ReadRecharges(t.Context(), files(map[string]string{"r.csv": rechargesHeader + c.rows}))
			wantRefused(t, err, c.want)
		})
	}
}

// printedInstant is an instant as a table of recharges may have it.
func printedInstant(at int64) string {
	if at == reconcile.NeverExpires {
		return ""
	}
	return time.UnixMilli(at).UTC().Format(time.RFC3339Nano)
}

func FuzzRecharges(f *testing.F) {
	f.Add(rechargesHeader + "R1,acme,large,2024-07-03T09:30:00Z,500,eur,2025-07-03\nR2,acme,small,2024-07-03 09:30,1.5,JPY,\n")
	f.Add("net_amount,recharge_id,account_id,plan,purchased_at,currency\n0.000001,R,a,p,2024-07-03 09:30:00.5+05:30,KWD\n")
	f.Fuzz(func(t *testing.T, text string) {
		read := func(text string) ([]reconcile.Recharge, error) {
			recharges, _, err := reader.ReadRecharges(t.Context(), files(map[string]string{"r.csv": text}))
			if err != nil {
				return nil, err
			}
			return recharges.Rows(), nil
		}
		recharges, err := read(text)
		if !inputRead(t, err) {
			return
		}
		var rows [][]string
		for _, r := range recharges {
			if r.Net <= 0 || r.PurchasedAt >= r.ExpiresAt {
				t.Errorf("%+v was taken", r)
			}
			rows = append(rows, []string{
				r.ID, r.Account, r.Plan, printedInstant(r.PurchasedAt), r.Net.Decimal().String(), r.Currency, printedInstant(r.ExpiresAt),
			})
		}
		again, err := read(printed(t, rechargesHeader, rows))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(recharges, again, cmpopts.IgnoreFields(reconcile.Recharge{}, "Where")); diff != "" {
			t.Errorf("read, printed and read again (-first +again):\n%s", diff)
		}
	})
}
