package batch

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"waconcile/reconcile"
	"waconcile/writer"
	"waconcile/writer/writertest"

	"github.com/google/go-cmp/cmp"
)

// TestClosedMonthKeepsVATAt: the setting is part of what a run is, but of a
// closed month the one that it was billed with holds.
func TestClosedMonthKeepsVATAt(t *testing.T) {
	t.Parallel()
	out := &writertest.Mem{}
	b := newBooks(t, out)
	var logged bytes.Buffer
	run := func(period string, at reconcile.VATAt) *Result {
		t.Helper()
		logged.Reset()
		job := b.job(period)
		job.VATAt, job.Log = at, slog.New(slog.NewTextHandler(&logged, nil))
		res, err := Run(t.Context(), job)
		if err != nil {
			t.Fatal(err)
		}
		b.verify(res.RunKey)
		return res
	}
	june := run("2024-06", reconcile.VATAtRecharge)
	other := run("2024-06", reconcile.VATAtUsage)
	if other.Already || other.RunID == june.RunID || other.Manifest.Settings.VATAt != "usage" {
		t.Errorf("another setting is the same run: %+v", other.Manifest.Settings)
	}
	if again := run("2024-06", reconcile.VATAtRecharge); again.RunID != june.RunID {
		t.Error("the first setting again is another run")
	}
	b.close("2024-06")
	if logged.Len() > 0 && strings.Contains(logged.String(), "vat-at") {
		t.Errorf("an open month: %s", logged.String())
	}

	// The month is billed: nothing is adjusted by another setting.
	if res := run("2024-06", reconcile.VATAtUsage); !res.Already || res.RunID != june.RunID {
		t.Error("another setting made a run of a closed month")
	}
	if !strings.Contains(logged.String(), "a closed month keeps the vat-at that it was billed with") ||
		!strings.Contains(logged.String(), "vat_at=recharge asked=usage") {
		t.Errorf("log: %s", logged.String())
	}
	b.put("late", b.message("39100000005", "2024-06-10"))
	late := run("2024-06", reconcile.VATAtUsage)
	if !late.Manifest.Adjusts() || late.Manifest.Settings.VATAt != "recharge" {
		t.Errorf("adjusts: %v, vat_at %s", late.Manifest.Adjusts(), late.Manifest.Settings.VATAt)
	}
	july := run("2024-07", reconcile.VATAtUsage)
	b.wantTaken(july, late)
	if july.Manifest.Settings.VATAt != "usage" || strings.Contains(logged.String(), "vat-at") {
		t.Errorf("vat_at %s; log: %s", july.Manifest.Settings.VATAt, logged.String())
	}
	want := map[string]reconcile.VATAt{"": reconcile.VATAtUsage, "2024-06": reconcile.VATAtRecharge}
	if diff := cmp.Diff(want, vatDue(&july.Manifest.Settings, []*writer.Manifest{late.Manifest})); diff != "" {
		t.Errorf("VAT due (-want +got):\n%s", diff)
	}

	// Verify sees a run that adjusts at another.
	place := forge(t, out, late.RunKey, func(f *forger) { f.manifest.Settings.VATAt = "usage" })
	if err := place.Remove(t.Context(), "adjusted/2024-06.json"); err != nil {
		t.Fatal(err)
	}
	if _, err := writer.Verify(t.Context(), place, late.RunKey, "2024-06"); !errors.Is(err, writer.ErrVerify) ||
		!strings.Contains(err.Error(), "adjustment VAT: VAT is due at usage, the month was billed with recharge") {
		t.Errorf("got %v", err)
	}
}
