package reader_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"waconcile/reader"
)

// Every row that is refused is listed, those that are wrong by themselves
// before those that clash with others, and the rows between them are not.
func TestRefusals(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		refused func(context.Context, reader.Source) ([]error, error)
		text    string
		want    []string
	}{
		"rates": {reader.RefusedRates, ratesHeader + "p,IT,service,message,1,EUR,,\np,IT,service,message,-1,EUR,,\n" +
			"p,IT,service,message,2,EUR,2024-01-01,\np,DE,service,message,1,EURO,,\np,IT,service,message,3,EUR,,2024-01-01\np,FR,service,message,1,EUR,,\n",
			[]string{
				"t.csv:3 column price: -1 is negative",
				`t.csv:5 column currency: "EURO" is no currency of ISO 4217`,
				`t.csv:6: overlaps t.csv:2: plan "p", market "IT", service, message is valid [the beginning, 2024-01-01) here and [the beginning, open) there`,
				`t.csv:4: overlaps t.csv:2: plan "p", market "IT", service, message is valid [2024-01-01, open) here and [the beginning, open) there`,
			}},
		"accounts": {reader.RefusedAccounts, "account_id,plan,rules,time_zone\na,p,,\na,p,,Europe/Rome\nb,p,meta,\n", []string{
			"t.csv:4 column rules: rules meta are not known to this build",
			`t.csv:3: overlaps t.csv:2: account "a" is valid [the beginning, open) here and [the beginning, open) there`,
		}},
		"markets": {reader.RefusedMarkets, "prefix,country,market\n+1,US,North America\n39,IT,Italy\n39,IT,Italy\n", []string{
			`t.csv:2: prefix "+1" is not digits`,
			"t.csv:4: overlaps t.csv:3: prefix 39 is valid [the beginning, open) here and [the beginning, open) there",
		}},
		"recharges": {reader.RefusedRecharges, "recharge_id,account_id,plan,purchased_at,net_amount,currency\nr,a,p,2024-01-01,1,EUR\nr,a,p,2024-01-02,1,EUR\ns,a,p,soon,1,EUR\n", []string{
			`t.csv:4 column purchased_at: "soon" is no instant such as 2024-07-03T09:30:00Z`,
			`t.csv:3: recharge_id "r" is that of t.csv:2`,
		}},
		"nothing":    {reader.RefusedRates, ratesHeader, nil},
		"a header":   {reader.RefusedRates, "plan\n", []string{"t.csv:1: header lacks column market, category, unit, price, currency"}},
		"a torn row": {reader.RefusedRates, ratesHeader + "p,IT,service,message,-1,EUR,,\np\n", []string{"t.csv:2 column price: -1 is negative", "t.csv:3: 1 fields where the header has 8"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			refused, err := c.refused(t.Context(), files(map[string]string{"t.csv": c.text}))
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, err := range refused {
				got = append(got, err.Error())
				if !errors.Is(err, reader.ErrInput) {
					t.Errorf("%v does not match ErrInput", err)
				}
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("refusals (-want +got):\n%s", diff)
			}
		})
	}
}

// A table with nothing right in it does not take for ever.
func TestRefusalsAreBounded(t *testing.T) {
	t.Parallel()
	var text strings.Builder
	text.WriteString(ratesHeader)
	for i := range 300 {
		fmt.Fprintf(&text, "p,IT,service,message,%d,EUR,,\n", i)
	}
	refused, err := reader.RefusedRates(t.Context(), files(map[string]string{"t.csv": text.String()}))
	if err != nil || len(refused) != 100 {
		t.Errorf("%d refusals, %v; want 100", len(refused), err)
	}
	_, err = reader.RefusedRates(t.Context(), brokenFiles())
	if err == nil || errors.Is(err, reader.ErrInput) {
		t.Errorf("a listing that fails gives %v", err)
	}
}

// brokenFiles is a Source that cannot be listed.
func brokenFiles() reader.Source {
	src := files(nil)
	src.OnList = func(string) error { return errors.New("cable cut") }
	return src
}
