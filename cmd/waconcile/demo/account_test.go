package demo

import (
	"encoding/csv"
	"strings"
	"testing"
	"time"
)

func TestAccountsAgreeWithTheirZones(t *testing.T) {
	t.Parallel()
	for _, a := range accounts() {
		if a.terms.name == "" {
			continue
		}
		zone, err := time.LoadLocation(a.terms.zone)
		if err != nil {
			t.Fatal(err)
		}
		for _, day := range []int{-4, 1, 34} {
			_, seconds := time.Date(2024, time.July, day, 12, 0, 0, 0, time.UTC).In(zone).Zone()
			if int64(seconds)*second != a.utc {
				t.Errorf("%s: %d s east of UTC on day %d, the stories take %d ms", a.id, seconds, day, a.utc)
			}
		}
	}
}

func TestAccountsHavePlans(t *testing.T) {
	t.Parallel()
	rates, err := csv.NewReader(strings.NewReader(string(ratesCSV))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	plans := map[string]bool{}
	for _, r := range rates[1:] {
		plans[r[0]] = true
	}
	rows, err := csv.NewReader(strings.NewReader(accountsCSV(accounts()))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if len(rows) != len(accounts()) {
		t.Errorf("rows = %d, want a header and all accounts but one", len(rows))
	}
	for _, r := range rows[1:] {
		if !plans[r[2]] {
			t.Errorf("%s has plan %q, which is not in the rates", r[0], r[2])
		}
	}
}
