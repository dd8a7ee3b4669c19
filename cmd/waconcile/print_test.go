package main

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"waconcile/batch"

	"github.com/shopspring/decimal"
)

func TestMoney(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"0": "0.00", "-0.5": "-0.50", "1234567.891": "1,234,567.891", "-1234.5": "-1,234.50",
		"999": "999.00", "1000": "1,000.00", "0.000001": "0.000001", "-123456": "-123,456.00",
	} {
		if got := money(decimal.RequireFromString(text)); got != want {
			t.Errorf("money(%s) = %s, want %s", text, got, want)
		}
	}
}

func TestTextTable(t *testing.T) {
	t.Parallel()
	got := textTable([][]string{{"class", "rows", "amount", ""}, {"missing ñ", "1,000", "-0.10", "EUR"}, {"all", "7"}})
	want := "class       rows  amount\nmissing ñ  1,000   -0.10  EUR\nall            7\n"
	if got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

func TestAgeText(t *testing.T) {
	t.Parallel()
	for age, want := range map[time.Duration]string{
		212*time.Hour + 59*time.Minute: "8d 20h", 168 * time.Hour: "7d", 24 * time.Hour: "1d",
		24*time.Hour - time.Second: "23h 59m", 2 * time.Hour: "2h", 61 * time.Minute: "1h 1m",
		59 * time.Minute: "59m", time.Second: "0m", 0: "0m", -time.Hour: "0m",
	} {
		if got := ageText(age); got != want {
			t.Errorf("ageText(%s) = %s, want %s", age, got, want)
		}
	}
}

func TestShellWord(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"a/b-c_d.e": "a/b-c_d.e", "s3://b/p": "s3://b/p", "": "''", "a b": "'a b'", "it's": `'it'\''s'`, "$x": "'$x'",
	} {
		if got := shellWord(text); got != want {
			t.Errorf("shellWord(%q) = %s, want %s", text, got, want)
		}
	}
}

// TestBar shows a run on a terminal: the bar goes away for a log line and at
// the end, and an unknown total shows none.
func TestBar(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var w bytes.Buffer
		p := newProgress(logText, &w)
		p.terminal = true
		p.log = slog.New(slog.NewTextHandler(lockedWriter{p}, nil))
		p.show(batch.Progress{Stage: "list"})
		if w.Len() > 0 {
			t.Errorf("without a total: %q", w.String())
		}
		for _, now := range []batch.Progress{
			{Rows: 10, RowsTotal: 100, Stage: "read"},
			{Rows: 20, RowsTotal: 100, Stage: "read"},
			{Rows: 100, RowsTotal: 100, Stage: "read"},
			{Rows: 5, RowsTotal: 100, Stage: "read"}, // anew
			{Rows: 7, RowsTotal: 100, Stage: "read"},
			{Rows: 1, RowsTotal: 50, Stage: "write"},
		} {
			p.show(now)
			time.Sleep(time.Second)
		}
		p.log.InfoContext(t.Context(), "line")
		p.end()
		shown := w.String()
		for _, part := range []string{"read", "(20/100, 20 rows/s)", "(7/100", "write", "msg=line"} {
			if !strings.Contains(shown, part) {
				t.Errorf("%q is not in %q", part, shown)
			}
		}
		if !strings.HasSuffix(shown, "\x1b[2K\r") {
			t.Errorf("the bar stays at the end: %q", shown)
		}
	})
}

// TestProgressLines shows a run without a terminal: a line once a stage has a
// rate and then one every ten seconds.
func TestProgressLines(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var w bytes.Buffer
		p := newProgress(logAuto, &w)
		for second := range int64(25) {
			p.show(batch.Progress{Rows: 1000 * second, RowsTotal: 25_000, Stage: "read"})
			time.Sleep(time.Second)
		}
		p.show(batch.Progress{Rows: 25_000, RowsTotal: 50_000, Stage: "write"})
		time.Sleep(time.Second)
		p.show(batch.Progress{Rows: 50_000, RowsTotal: 50_000, Stage: "write"})
		p.end()
		for _, part := range []string{
			`"rows":1000,"rows_total":25000,"rows_per_second":1000`, `"rows":11000,"rows_total":25000,"rows_per_second":1000`,
			`"rows":21000,`, `"stage":"write","rows":50000,"rows_total":50000,"rows_per_second":50000`,
		} {
			if !strings.Contains(w.String(), part) {
				t.Errorf("%s is not in\n%s", part, w.String())
			}
		}
		if n := strings.Count(w.String(), `"msg":"progress"`); n != 4 {
			t.Errorf("%d lines:\n%s", n, w.String())
		}
	})
}
