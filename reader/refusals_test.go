package reader_test

import (
	"context"
	"errors"
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
		"nothing": {reader.RefusedRates, ratesHeader, nil},
		"a header": {reader.RefusedRates, "plan\n", []string{
			"t.csv:1: header lacks column market, category, unit, price, currency",
			"t.csv:1: the rows after it are not looked at, nor whether rows clash",
		}},
		"a torn row": {reader.RefusedRates, ratesHeader + "p,IT,service,message,-1,EUR,,\np\np,IT,service,message,-1,EUR,,\n", []string{
			"t.csv:2 column price: -1 is negative",
			"t.csv:3: 1 fields where the header has 8",
			"t.csv:3: the rows after it are not looked at, nor whether rows clash",
		}},
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

// A list that is full says so at the row that is the first not to be in it: one
// that is wrong by itself, one that clashes, and one that ends the reading.
func TestRefusalsAreBounded(t *testing.T) {
	t.Parallel()
	const clashing, wrong = "p,IT,service,message,1,EUR,,\n", "p,IT,service,message,-1,EUR,,\n"
	for name, c := range map[string]struct {
		text string
		more string // the row that is no longer listed; empty: the list is whole
	}{
		"as many clash":             {strings.Repeat(clashing, 101), ""},
		"one more clashes":          {strings.Repeat(clashing, 102), "t.csv:103"},
		"as many are wrong":         {strings.Repeat(wrong, 100), ""},
		"one more is wrong":         {strings.Repeat(wrong, 101), "t.csv:102"},
		"many are wrong":            {strings.Repeat(wrong, 300), "t.csv:102"},
		"wrong ones and a clash":    {strings.Repeat(wrong, 100) + clashing + clashing, "t.csv:103"},
		"wrong ones and a torn row": {strings.Repeat(wrong, 100) + "p\n", "t.csv:102"},
	} {
		refused, err := reader.RefusedRates(t.Context(), files(map[string]string{"t.csv": ratesHeader + c.text}))
		if err != nil {
			t.Fatal(err)
		}
		rows, more := refused, ""
		if len(refused) > 100 {
			rows, more = refused[:100], errors.Join(refused[100:]...).Error()
		}
		want := ""
		if c.more != "" {
			want = c.more + ": more rows are refused: from this one on they are not listed, after 100 others"
		}
		if len(rows) != 100 || more != want {
			t.Errorf("%s: %d rows, then %q; want 100, then %q", name, len(rows), more, want)
		}
		for _, err := range refused {
			if !errors.Is(err, reader.ErrInput) {
				t.Errorf("%s: %v does not match ErrInput", name, err)
			}
		}
	}
	_, err := reader.RefusedRates(t.Context(), brokenFiles())
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
