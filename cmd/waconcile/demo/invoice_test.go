package demo

import (
	"encoding/csv"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/shopspring/decimal"
)

func usageOf(account, country, market, category string, quantity int64, price, currency string) UsageCell {
	p := decimal.RequireFromString(price)
	return UsageCell{
		Account: account, Country: country, Market: market, Category: category, Quantity: quantity,
		UnitPrice: p, Amount: p.Mul(decimal.NewFromInt(quantity)), Currency: currency,
	}
}

func someUsage() []UsageCell {
	return []UsageCell{
		usageOf("bottega-rosa", "IT", "Italy", "marketing", 70, "0.12", "EUR"),
		usageOf("bottega-rosa", "IT", "Italy", "marketing", 30, "0.12", "EUR"),
		usageOf("bottega-rosa", "CH", "Rest of Western Europe", "service", 3, "0.1415", "EUR"),
		usageOf("hudson-outfitters", "US", "North America", "marketing", 900, "0.04", "USD"),
		usageOf("hudson-outfitters", "CA", "North America", "marketing", 100, "0.04", "USD"),
		usageOf("hudson-outfitters", "MX", "Mexico", "utility", 200, "0.025", "USD"),
		usageOf("hudson-outfitters", "GB", "United Kingdom", "service", 100, "0.04", "USD"),
		usageOf("hudson-outfitters", "IL", "Israel", "marketing", 20, "0.05", "USD"),
		usageOf("hudson-outfitters", "ZA", "South Africa", "utility", 10, "0.02", "USD"),
		usageOf("chai-express", "IN", "India", "utility", 5, "0.02", "USD"),
	}
}

// made is a directory without exports.
func made(t *testing.T) *Made {
	t.Helper()
	dir := t.TempDir()
	return &Made{Dir: dir, Period: Period, Invoices: filepath.Join(dir, "invoices"), Config: filepath.Join(dir, "waconcile.yaml")}
}

// readLines gives market, category, kind, quantity, unit_price, amount and
// currency of every line.
func readLines(t *testing.T, path string) []string {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	records, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, r := range records[1:] {
		lines = append(lines, strings.Join(r[6:], "|"))
	}
	return lines
}

func TestWriteInvoicesRightOne(t *testing.T) {
	t.Parallel()
	m := made(t)
	if err := m.WriteInvoices(someUsage()); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"Italy|marketing|usage|100|0.12|12|EUR",
		"Rest of Western Europe|service|usage|3|0.1415|0.4245|EUR",
		"||fee|||49.00|EUR",
		"||tax|||13.51|EUR",
		"||total|||74.93|EUR",
	}
	if diff := cmp.Diff(want, readLines(t, filepath.Join(m.Invoices, "bottega-rosa.csv"))); diff != "" {
		t.Errorf("lines (-want +got):\n%s", diff)
	}
	config, err := os.ReadFile(m.Config)
	if err != nil || !strings.Contains(string(config), "invoices: invoices\n") {
		t.Errorf("configuration %q: %v", config, err)
	}
}

func TestWriteInvoicesPlantsEveryMistake(t *testing.T) {
	t.Parallel()
	m := made(t)
	if err := m.WriteInvoices(someUsage()); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"South Africa|utility|usage|10|0.02|0.2|USD",
		"Mexico|utility|usage|200|0.035|7|USD",
		"North America|marketing|usage|1050|0.04|42|USD",
		"United Kingdom|service|usage|100|0.04|16.5|USD",
		"Nigeria|marketing|usage|120|0.075|9|USD",
	}
	got := readLines(t, filepath.Join(m.Invoices, "hudson-outfitters.csv"))
	var classes []string
	for _, p := range m.Planted {
		classes = append(classes, p.Market+" "+p.Class)
	}
	wantClasses := []string{
		"North America quantity", "Mexico price", "United Kingdom arithmetic", "Israel missing_theirs", "Nigeria missing_ours",
	}
	if diff := cmp.Diff(wantClasses, classes); diff != "" {
		t.Errorf("planted (-want +got):\n%s", diff)
	}
	for _, line := range want {
		if !slices.Contains(got, line) {
			t.Errorf("no line %s in\n%s", line, strings.Join(got, "\n"))
		}
	}
	if len(got) != len(want)+3 {
		t.Errorf("lines = %d, want %d and fee, tax, total", len(got), len(want))
	}
}

func TestWriteInvoicesWithoutRoom(t *testing.T) {
	t.Parallel()
	m := made(t)
	if err := m.WriteInvoices(someUsage()[:4]); err != nil {
		t.Fatal(err)
	}
	if len(m.Planted) != 2 {
		t.Errorf("planted %v, want a quantity and a line too much", m.Planted)
	}
	if err := m.WriteInvoices(nil); err != nil {
		t.Fatal(err)
	}
	if len(m.Planted) != 0 {
		t.Errorf("planted %v without usage", m.Planted)
	}
}

func TestWriteInvoicesWhateverTheOrder(t *testing.T) {
	t.Parallel()
	first, second := made(t), made(t)
	usage := someUsage()
	if err := first.WriteInvoices(usage); err != nil {
		t.Fatal(err)
	}
	slices.Reverse(usage)
	if err := second.WriteInvoices(usage); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(digest(t, first.Invoices), digest(t, second.Invoices)); diff != "" {
		t.Errorf("invoices differ (-first +second):\n%s", diff)
	}
}

func TestMistakeIs(t *testing.T) {
	t.Parallel()
	m := Mistake{Account: "a", Market: "Mexico", Country: "MX", Category: "utility", Class: "missing_theirs"}
	for _, market := range []string{"Mexico", "MX"} {
		if !m.Is("a", market, "utility", "missing_theirs") {
			t.Errorf("not found as %s", market)
		}
	}
	if m.Is("b", "MX", "utility", "missing_theirs") || m.Is("a", "MX", "utility", "price") || m.Is("a", "", "utility", "missing_theirs") {
		t.Error("another difference was taken for it")
	}
}
