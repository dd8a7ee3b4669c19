package report

import (
	"bytes"
	"encoding/xml"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/shopspring/decimal"
)

var update = flag.Bool("update", false, "rewrite the golden page")

func dec(s string) decimal.Decimal { return decimal.RequireFromString(s) }

func some(s string) decimal.NullDecimal { return decimal.NewNullDecimal(dec(s)) }

// small is a run with something in every section.
func small() Data {
	return Data{
		Period: "2024-07", From: "2024-07-01", To: "2024-07-03", RunID: "5f0c1d", Verdict: "complete", Rules: "2024-07-03",
		RowsRead: 100_210, MessagesRead: 100_000, Invoices: true,
		Statements: []Statement{
			{Account: "hudson", Currency: "USD", VATRate: some("0"), Charges: 40, Net: dec("2.40"), Payable: dec("2.40"), Gross: dec("2.40"), Note: "reverse charge"},
			{Account: "bottega", Currency: "EUR", VATRate: some("0.22"), Charges: 1300, Unrated: 2, Net: dec("1234.5"), Payable: dec("1234.5"), VAT: dec("271.59"), Gross: dec("1506.09")},
			{Account: "sandbox", Unrated: 7},
		},
		Summary: []SummaryRow{
			{Date: "2024-07-01", Market: "Italy", Category: "marketing", Currency: "EUR", Status: "charged", Quantity: 1000, Net: dec("1000")},
			{Date: "2024-07-03", Market: "Italy", Category: "service", Currency: "EUR", Status: "charged", Quantity: 200, Net: dec("200.4")},
			{Date: "2024-07-03", Market: "Spain", Category: "service", Currency: "EUR", Status: "charged", Quantity: 100, Net: dec("34.1")},
			{Date: "2024-07-03", Market: "Mexico", Category: "utility", Currency: "USD", Status: "charged", Quantity: 40, Net: dec("2.4")},
			{Date: "2024-07-02", Category: "service", Status: "unrated", Quantity: 9},
		},
		Differences: []Difference{
			{
				Invoice: "INV-1", Lines: "1", Account: "hudson", From: "2024-07-01", To: "2024-07-03", Market: "Mexico", Category: "utility",
				Currency: "USD", Class: "price", OurQuantity: some("40"), TheirQuantity: some("40"), OurAmount: some("2.4"), TheirAmount: some("2.8"),
				Amount: some("0.4"), QuantityEffect: some("0"), PriceEffect: some("0.4"), ArithmeticEffect: some("0"), RoundingEffect: some("0"),
			},
			{
				Account: "hudson", From: "2024-07-01", To: "2024-07-03", Market: "CA", Category: "marketing", Currency: "USD", Class: "missing_theirs",
				OurQuantity: some("12"), OurAmount: some("0.6125"), Amount: some("-0.6125"), QuantityEffect: some("-0.6125"), Detail: "no line covers 12 charges",
			},
			{Invoice: "INV-1", Lines: "2 3", Account: "hudson", From: "2024-06-01", To: "2024-06-30", Currency: "USD", Class: "outside_period"},
			{Invoice: "INV-2", Lines: "1", Account: "bottega", Market: "Italy", Category: "marketing", Currency: "EUR", Class: "match", Amount: some("0")},
		},
		Findings: []Count{{"outside_window", 60}, {"late", 1}},
		FindingRows: []Finding{{
			Kind: "outside_window", Account: "bottega", Business: "390287150011", Contact: "393331234567", Message: "wamid.AAECAwQFBgcICQoLDA0ODw",
			At: "2024-07-02T10:11:12.345Z", Detail: "393331234567 wrote 25 h before",
		}},
		Rejects:    []Count{{"bad_category", 2}},
		RejectRows: []Reject{{File: "dt=2024-07-01/part-0000.parquet", Row: 1017, Reason: "bad_category", Detail: "category is null"}},
		Controls: []Control{
			{Name: "rows read = rejected + merged away + messages", Left: "100210", Right: "100210", OK: true},
			{Name: "Σ summary net = Σ charge amounts", Left: "1236.90", Right: "1236.91"},
		},
		Inputs: []Input{{Kind: "exports", Key: "dt=2024-07-01/part-0000.parquet", Identity: strings.Repeat("ab", 32), Size: 123_456_789, Rows: 100_210}},
		Files:  []File{{Name: "summary.parquet", SHA256: strings.Repeat("cd", 32), Bytes: 900, Rows: 5}},
	}
}

func render(t *testing.T, d Data) string {
	t.Helper()
	var b bytes.Buffer
	if err := Write(&b, d); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestWriteGolden(t *testing.T) {
	t.Parallel()
	got := render(t, small())
	path := filepath.Join("testdata", "report.html")
	if *update {
		if err := errors.Join(os.MkdirAll("testdata", 0o755), os.WriteFile(path, []byte(got), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got, "\n")); diff != "" {
		t.Errorf("page (-want +got); -update rewrites it:\n%s", diff)
	}
}

func TestWriteWhateverTheOrder(t *testing.T) {
	t.Parallel()
	d := small()
	slices.Reverse(d.Statements)
	slices.Reverse(d.Summary)
	slices.Reverse(d.Differences)
	if render(t, d) != render(t, small()) {
		t.Error("another order of statements, summary and differences gave another page")
	}
}

func TestWriteIsWellFormedAndSelfContained(t *testing.T) {
	t.Parallel()
	for name, d := range map[string]Data{"small": small(), "empty": {Period: "2024-07", Verdict: "incomplete", MissingDays: []string{"2024-07-02"}}} {
		html := render(t, d)
		check := xml.NewDecoder(strings.NewReader(html))
		check.Strict, check.AutoClose, check.Entity = false, xml.HTMLAutoClose, xml.HTMLEntity
		for {
			if _, err := check.Token(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
		}
		for _, bad := range []string{"<script", "http:", "https:", "src=", "url(", "@import", "ZgotmplZ", "<no value>"} {
			if strings.Contains(html, bad) {
				t.Errorf("%s: page contains %s", name, bad)
			}
		}
	}
}

// A run of a closed month says so; statements tell whose adjustments they are.
func TestWriteAdjustments(t *testing.T) {
	t.Parallel()
	if html := render(t, small()); strings.Contains(html, "djustments") {
		t.Error("an open month speaks of adjustments")
	}
	d := small()
	d.Sealed = "runs/2024-07/5ea1ed/"
	d.Statements = append(d.Statements, Statement{Account: "hudson", Currency: "USD", Charges: -1, Net: dec("-0.06"), Gross: dec("-0.06"), Adjusted: "2024-06"})
	empty := render(t, d)
	d.Adjustments = []Adjustment{
		{Account: "hudson", Currency: "USD", Kind: "replacement", Rows: 1200, Net: dec("84.0005")},
		{Account: "hudson", Currency: "USD", Kind: "reversal", Rows: 1201, Net: dec("-84.07")},
		{Account: "bottega", Kind: "reversal", Rows: 3},
	}
	full := render(t, d)
	for html, wants := range map[string][]string{
		empty: {"No charge changes.", "<small>adjustments of 2024-06</small>"},
		full: {
			"was billed by <code>runs/2024-07/5ea1ed/</code>",
			`<th scope="row">bottega</th><td>none</td><td class="n">3</td><td class="n"></td><td class="n">0</td>`,
			`<td class="n">1,201</td><td class="n">−84.07</td><td class="n">1,200</td><td class="n">84.0005</td><td class="n"><b>−0.0695</b></td>`,
		},
	} {
		for _, want := range wants {
			if !strings.Contains(html, want) {
				t.Errorf("the page does not say %s", want)
			}
		}
	}
	slices.Reverse(d.Adjustments)
	slices.Reverse(d.Statements)
	if render(t, d) != full {
		t.Error("another order of adjustments gave another page")
	}
}

// What recharges paid stands apart from what is to pay, where they paid.
func TestWritePrepaid(t *testing.T) {
	t.Parallel()
	if html := render(t, small()); strings.Contains(html, "echarges") {
		t.Error("recharges are spoken of where there are none")
	}
	d := small()
	d.Statements = append(d.Statements, Statement{
		Account: "tokyo", Currency: "JPY", Charges: 12, Net: dec("1300"), Prepaid: dec("1100"), Payable: dec("200"), Gross: dec("200"),
	})
	html := render(t, d)
	for _, want := range []string{
		`<th scope="row">tokyo</th><td>JPY</td><td class="n">12</td><td class="n">0</td><td class="n">1,300</td><td class="n">1,100</td><td class="n">200</td><td class="n"></td><td class="n">0</td><td class="n"><b>200</b></td>`,
		`<td class="n">2.40</td><td class="n">0.00</td><td class="n">2.40</td><td class="n">0 %<small>reverse charge</small></td>`,
		`<div><dt>paid by recharges</dt><dd>1,100</dd></div>`, `<div><dt>to pay</dt><dd>200</dd></div>`,
	} {
		if !strings.Contains(html, want) {
			t.Errorf("the page does not say %s", want)
		}
	}
	if n := strings.Count(html, "<dt>paid by recharges</dt>"); n != 1 {
		t.Errorf("%d currencies with recharges, want 1", n)
	}
}

func TestWriteEscapes(t *testing.T) {
	t.Parallel()
	const evil = `<script>alert("1")</script>`
	d := small()
	d.Statements[0].Account, d.Differences[0].Account, d.Differences[0].Detail = evil, evil, evil
	d.Summary[0].Market, d.Summary[1].Category, d.Summary[3].Currency = evil, evil, evil
	d.FindingRows[0].Account, d.FindingRows[0].Detail, d.RejectRows[0].File = evil, evil, evil
	d.RunID, d.Inputs[0].Key, d.Controls[0].Name, d.Period = evil, evil, evil, evil
	if html := render(t, d); strings.Contains(html, "<script") || !strings.Contains(html, "&lt;script&gt;") {
		t.Error("text of an input stands in the page as markup")
	}
}

func TestWriteMasks(t *testing.T) {
	t.Parallel()
	html := render(t, small())
	for _, secret := range []string{"393331234567", "wamid.AAECAwQFBgcICQoLDA0ODw"} {
		if strings.Contains(html, secret) {
			t.Errorf("page shows %s in full", secret)
		}
	}
	if !strings.Contains(html, "393••••567") {
		t.Error("the contact's ends are not shown")
	}
}

func TestWriteCutsLongLists(t *testing.T) {
	t.Parallel()
	d := small()
	for i := range differencesMax + 1_500 {
		diff := d.Differences[0]
		diff.Lines, diff.Amount = fmt.Sprint(i+10), decimal.NewNullDecimal(decimal.New(int64(i), -2))
		d.Differences = append(d.Differences, diff)
	}
	html := render(t, d)
	if got := strings.Count(html, `<small>INV-1 line`); got != differencesMax {
		t.Errorf("differences shown = %d, want %d", got, differencesMax)
	}
	for _, want := range []string{"1,503 more in <code>differences.csv", "60 more in <code>findings.parquet"} {
		if !strings.Contains(html, want) {
			t.Errorf("page does not say %q", want)
		}
	}
}

func TestWriteTellsTheWriterError(t *testing.T) {
	t.Parallel()
	r, w := io.Pipe()
	stop := errors.New("disk is full")
	r.CloseWithError(stop)
	if err := Write(w, small()); !errors.Is(err, stop) {
		t.Errorf("error = %v, want %v", err, stop)
	}
}

func TestFormat(t *testing.T) {
	t.Parallel()
	got := []string{
		count(0), count(999), count(1000), count(-1234567), rounded(dec("1234.565"), "EUR"), rounded(dec("1234.5"), "JPY"),
		exact(dec("0.1417"), "EUR"), exact(dec("5"), "EUR"), exact(dec("5"), "KWD"), signed(dec("1"), "EUR"), signed(dec("-1"), "EUR"), signed(dec("0"), "EUR"),
		mask(""), mask("ab"), mask("39333"), maskDigits("to 393331234567: 12 h é 1234567"), fileSize(10_239), fileSize(10_240), fileSize(1 << 40),
	}
	want := []string{
		"0", "999", "1,000", "−1,234,567", "1,234.57", "1,235",
		"0.1417", "5.00", "5.000", "+1.00", "−1.00", "0.00",
		"", "••", "3•••3", "to 393••••567: 12 h é 1••••7", "10,239 B", "10 KiB", "1,024 GiB",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestChartStacksReachTheirSum(t *testing.T) {
	t.Parallel()
	d := Data{From: "2024-07-01", To: "2024-07-02"}
	for i, category := range []string{"authentication", "marketing", "service", "utility"} {
		d.Summary = append(d.Summary, SummaryRow{
			Date: "2024-07-01", Category: category, Currency: "EUR", Status: "charged", Quantity: 1, Net: decimal.New(int64(333+i), -1),
		})
	}
	v := newDays(&d)
	charts := v.charts()
	if len(charts) != 2 {
		t.Fatalf("charts = %d, want one of counts and one of EUR", len(charts))
	}
	// Four conversations on a scale of four fill the plot.
	reach := int64(0)
	for _, b := range charts[0].Bars {
		reach += b.Height
	}
	if reach != plotBottom-plotTop {
		t.Errorf("bars reach %d of %d", reach, plotBottom-plotTop)
	}
	if first, last := charts[1].Ticks[0].Text, charts[1].Ticks[len(charts[1].Ticks)-1].Text; first != "0.00" || last != "150.00" {
		t.Errorf("scale from %s to %s, want 0.00 to 150.00", first, last)
	}
}

func TestNiceStep(t *testing.T) {
	t.Parallel()
	for most, want := range map[string]string{"4": "1", "4.1": "2", "9": "5", "0.0031": "0.001", "123456": "50000"} {
		if got := niceStep(dec(most)); !got.Equal(dec(want)) {
			t.Errorf("step for %s = %s, want %s", most, got, want)
		}
	}
}
