package batch

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"waconcile/reconcile"
	"waconcile/writer"
	"waconcile/writer/writertest"
)

// forger changes a published run and makes all hashes agree again.
type forger struct {
	t        *testing.T
	objects  map[string][]byte
	manifest *writer.Manifest
	rows     []reconcile.Adjustment
}

// forge copies a place with one run changed.
func forge(t *testing.T, from *writertest.Mem, run string, change func(*forger)) *writertest.Mem {
	t.Helper()
	f := &forger{t: t, objects: from.Objects()}
	var err error
	if f.manifest, err = writer.DecodeManifest(f.objects[run+"manifest.json"]); err != nil {
		t.Fatal(err)
	}
	if f.manifest.Adjusts() {
		for a, err := range readAdjustments(t.Context(), from, run+"adjustments.parquet") {
			if err != nil {
				t.Fatal(err)
			}
			f.rows = append(f.rows, *a)
		}
	}
	before := slices.Clone(f.rows)
	change(f)
	if !slices.Equal(before, f.rows) {
		f.rewrite(run)
	}
	data, err := f.manifest.Encode()
	if err != nil {
		t.Fatal(err)
	}
	f.objects[run+"manifest.json"] = data
	return placeOf(t, f.objects)
}

// placeOf is a place that has these objects.
func placeOf(t *testing.T, objects map[string][]byte) *writertest.Mem {
	t.Helper()
	place := &writertest.Mem{}
	for key, data := range objects {
		if err := place.Put(t.Context(), key, data, writer.Condition{}); err != nil {
			t.Fatal(err)
		}
	}
	return place
}

// rewrite writes the adjustments as they are now.
func (f *forger) rewrite(run string) {
	f.t.Helper()
	scratch, key, s := &writertest.Mem{}, run+"adjustments", writer.AdjustmentsSchema()
	parquet, err := writer.WriteParquet(f.t.Context(), scratch, key+".parquet", s, writer.FramesOf(f.rows, adjustmentsFrame))
	if err != nil {
		f.t.Fatal(err)
	}
	csv, err := writer.WriteCSV(f.t.Context(), scratch, key+".csv", s, writer.FramesOf(f.rows, adjustmentsFrame))
	if err != nil {
		f.t.Fatal(err)
	}
	for i, entry := range f.manifest.Files {
		for _, now := range []writer.FileEntry{parquet, csv} {
			if entry.Name == now.Name {
				f.manifest.Files[i] = now
			}
		}
	}
	for key, data := range scratch.Objects() {
		f.objects[key] = data
	}
}

// control makes both sides of a control total agree on a figure.
func (f *forger) control(name, figure string) {
	for i := range f.manifest.Control {
		if c := &f.manifest.Control[i]; c.Name == name {
			c.Left, c.Right = figure, figure
			return
		}
	}
	f.t.Fatalf("no control total %s", name)
}

// invent adds a control total that holds.
func (f *forger) invent(name, figure string) {
	f.manifest.Control = append(f.manifest.Control, writer.ControlTotal{Name: name, Left: figure, Right: figure, OK: true, Text: "invented"})
}

// TestVerifyAdjustments: each check of a run that adjusts a closed month, and
// of one that takes adjustments in, fires.
func TestVerifyAdjustments(t *testing.T) {
	t.Parallel()
	out := &writertest.Mem{}
	b := newBooks(t, out)
	b.fresh("2024-06")
	b.close("2024-06")
	b.put("late", b.message("39100000005", "2024-06-10"))
	first := b.fresh("2024-06")
	b.rates = strings.Replace(bookRates, "0.10", "0.12", 1)
	late := b.fresh("2024-06") // a reversal and a replacement of each of three charges
	july := b.fresh("2024-07")
	sealed := late.Sealed
	fired := map[string]bool{
		"seal": true, "adjusted pointer": true, "taken in once": true, // TestVerifyClosedMonths
		"adjustment VAT": true, // TestVerifyAdjustmentVAT
	}
	for _, tc := range []struct {
		name, check string
		run         *Result
		change      func(*forger)
	}{
		{"a kind that is none", "adjustment rows", late, func(f *forger) { f.rows[0].Kind = "refund" }},
		{"two rows swapped", "adjustment rows", late, func(f *forger) { f.rows[0], f.rows[1] = f.rows[1], f.rows[0] }},
		{"against another run", "adjustment rows", late, func(f *forger) { f.rows[3].SealedRun = first.RunKey }},
		{"an id twice", "adjustment rows", late, func(f *forger) { f.rows[2].ID = f.rows[0].ID }},
		{"a reversal that charges", "adjustment rows", late, func(f *forger) { f.rows[0].Amount = -f.rows[0].Amount }},
		{"a row dropped", "adjustments by kind", late, func(f *forger) { f.rows = f.rows[1:] }},
		{"a row dropped, and counted so", "adjustment charges", late, func(f *forger) {
			f.rows = f.rows[1:]
			f.manifest.Counts.Adjustments["reversal"]--
		}},
		{"an amount", "adjustment amounts", late, func(f *forger) { f.rows[1].Amount++ }},
		{"a figure of the manifest", "adjustment amounts", late, func(f *forger) { f.control("adjustments_EUR", "0.050000") }},
		{"a currency that no table has", "adjustment amounts", late, func(f *forger) { f.invent("adjustments_USD", "5.000000") }},
		{"adjustments of a run that makes none", "control figures", july, func(f *forger) { f.invent("adjustments_EUR", "5.000000") }},
		{"the number of the manifest", "control figures", late, func(f *forger) { f.control("adjustment_charges", "7") }},
		{"two amounts", "adjustments", late, func(f *forger) { f.rows[1].Amount, f.rows[3].Amount = f.rows[1].Amount+1, f.rows[3].Amount-1 }},
		{"another opening", "adjustments", late, func(f *forger) { f.rows[1].OpenedBy = f.rows[3].OpenedBy }},
		{"another reason", "adjustments", late, func(f *forger) { f.rows[1].Reason = "x" }},
		{"no table", "tables", late, func(f *forger) {
			f.manifest.Files = slices.DeleteFunc(f.manifest.Files, func(e writer.FileEntry) bool { return strings.HasPrefix(e.Name, "adjustments.") })
		}},
		{"a charge of the sealed run", "runs built on", late, func(f *forger) { flip(f, sealed+"charges/2024-06-03/part-0000.parquet") }},
		{"an earlier adjustment", "runs built on", late, func(f *forger) { flip(f, first.RunKey+"adjustments.parquet") }},
		{"an earlier manifest", "runs built on", late, func(f *forger) { flip(f, first.RunKey+"manifest.json") }},
		{"no earlier manifest", "runs built on", late, func(f *forger) { delete(f.objects, first.RunKey+"manifest.json") }},
		{"no sealed charges", "runs built on", late, func(f *forger) { delete(f.objects, sealed+"charges/2024-06-03/part-0000.parquet") }},
		{"an earlier run left out", "adjustment charges", late, func(f *forger) { f.forget(writer.AdjustmentsInput) }},
		{"adjustments of nothing", "tables", late, func(f *forger) {
			f.forget(writer.AdjustmentsInput)
			f.forget(writer.SealedInput)
		}},
		{"taken in and not named", "statement charges", july, func(f *forger) { f.forget(writer.TakenInput) }},
		{"taken in from another table", "runs built on", july, func(f *forger) { flip(f, late.RunKey+"adjustments.parquet") }},
	} {
		fired[tc.check] = true
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			place := forge(t, out, tc.run.RunKey, tc.change)
			for _, pointer := range []string{"current/", "adjusted/"} { // which know another manifest
				if err := place.Remove(t.Context(), pointer+tc.run.Manifest.Period+".json"); err != nil {
					t.Fatal(err)
				}
			}
			checks, err := writer.Verify(t.Context(), place, tc.run.RunKey, tc.run.Manifest.Period)
			if !errors.Is(err, writer.ErrVerify) {
				t.Fatalf("got %v", err)
			}
			i := slices.IndexFunc(checks, func(c writer.Check) bool { return !c.OK })
			if checks[i].Name != tc.check {
				t.Errorf("%s came first, not %s: %v", checks[i].Name, tc.check, err)
			}
		})
	}
	for _, c := range checksOf(t, out, b.fresh("2024-06-03")) { // which writer's own tests show to fire
		fired[c.Name] = true
	}
	for _, c := range slices.Concat(checksOf(t, out, late), checksOf(t, out, july)) {
		if !fired[c.Name] && !strings.HasPrefix(c.Name, "control total ") {
			t.Errorf("no damage is meant for the check %q", c.Name)
		}
	}
	t.Run("nothing", func(t *testing.T) { // the forger itself does no harm
		t.Parallel()
		for _, res := range []*Result{first, late, july} {
			place := forge(t, out, res.RunKey, func(f *forger) {})
			if _, err := writer.Verify(t.Context(), place, res.RunKey, res.Manifest.Period); err != nil {
				t.Error(err)
			}
		}
	})
}

// checksOf are the checks of a run that is as it should be.
func checksOf(t *testing.T, out writer.Target, run *Result) []writer.Check {
	t.Helper()
	checks, err := writer.Verify(t.Context(), out, run.RunKey, run.Manifest.Period)
	if err != nil {
		t.Error(err)
	}
	return checks
}

func (f *forger) forget(table string) {
	f.manifest.Inputs = slices.DeleteFunc(f.manifest.Inputs, func(in writer.Input) bool { return in.Table == table })
}

// flip changes a byte in the middle of an object.
func flip(f *forger, key string) {
	data := slices.Clone(f.objects[key])
	data[len(data)/2] ^= 1
	f.objects[key] = data
}

// What an earlier run has adjusted outside the month is not passed over.
func TestAdjustRefusesOtherMonths(t *testing.T) {
	t.Parallel()
	l := &lateRun{period: Period{From: 1, To: 0}, earlier: []*adjustedRows{{run: "runs/2024-06/0/", more: true}}}
	for _, err := range l.frames() {
		if errors.Is(err, writer.ErrVerify) {
			return
		}
	}
	t.Error("not refused")
}

// A sealed run, or one that adjusted it, that was tampered with stops the next
// one before anything is published.
func TestAdjustRefusesDamage(t *testing.T) {
	t.Parallel()
	out := &writertest.Mem{}
	b := newBooks(t, out)
	sealed := b.fresh("2024-06")
	b.close("2024-06")
	b.put("late", b.message("39100000005", "2024-06-10"))
	first := b.fresh("2024-06")
	b.rates = strings.Replace(bookRates, "0.10", "0.12", 1)
	for _, key := range []string{
		sealed.RunKey + "charges/2024-06-03/part-0000.parquet", sealed.RunKey + "summary.parquet",
		first.RunKey + "adjustments.parquet", first.RunKey + "manifest.json", "sealed/2024-06.json", "adjusted/2024-06.json",
	} {
		t.Run(key, func(t *testing.T) {
			t.Parallel()
			damaged := *b
			damaged.t = t
			place := forge(t, out, sealed.RunKey, func(f *forger) { flip(f, key) })
			damaged.out = place
			before := place.Objects()["adjusted/2024-06.json"]
			if _, err := Run(t.Context(), damaged.job("2024-06")); !errors.Is(err, writer.ErrVerify) {
				t.Errorf("got %v", err)
			}
			if string(place.Objects()["adjusted/2024-06.json"]) != string(before) {
				t.Error("the pointer moved")
			}
		})
	}
}
