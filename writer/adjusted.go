package writer

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
)

// AdjustedKey is the key of the pointer to the newest run that adjusts a
// closed month.
func AdjustedKey(period string) string { return "adjusted/" + period + ".json" }

// Adjusts says whether the run adjusts a closed month: it then has a table of
// adjustments, and never becomes the current run of its period.
func (m *Manifest) Adjusts() bool { return len(m.InputsOf(SealedInput)) > 0 }

// pointerKey is the key of the one pointer that may name the run.
func (m *Manifest) pointerKey() string {
	if m.Adjusts() {
		return AdjustedKey(m.Period)
	}
	return PointerKey(m.Period)
}

// InputsOf are the inputs of a table, in the order of the manifest.
func (m *Manifest) InputsOf(table string) []Input {
	var of []Input
	for _, in := range m.Inputs {
		if in.Table == table {
			of = append(of, in)
		}
	}
	return of
}

// TakesIn are the closed months whose adjustments the run's statements take
// in, oldest first.
func (m *Manifest) TakesIn() []string {
	var months []string
	for _, in := range m.InputsOf(TakenInput) {
		month, _, _ := splitRun(strings.TrimSuffix(in.Key, manifestName)) // Validate has looked at it
		months = append(months, month)
	}
	slices.Sort(months)
	return slices.Compact(months)
}

// Adjusted is Current for the newest run that adjusts a closed month. It
// matches fs.ErrNotExist where nothing has been adjusted.
func Adjusted(ctx context.Context, t Target, period string) (*Pointer, *Manifest, string, error) {
	return pointed(ctx, t, AdjustedKey(period), period)
}

// ReadRunInput reads the manifest of a run that another's manifest names as
// an input of SealedInput, AdjustmentsInput or TakenInput. It matches
// ErrVerify where the manifest is not there or is not the one that was named.
func ReadRunInput(ctx context.Context, t Target, in Input) (*Manifest, error) {
	m, sum, err := readManifest(ctx, t, strings.TrimSuffix(in.Key, manifestName))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("read %s: %w: the %s run is not there", in.Key, ErrVerify, in.Table)
	}
	if err == nil && sum != in.Identity {
		err = fmt.Errorf("read %s: %w: sha256 %s, the run that builds on it has %s", in.Key, ErrVerify, sum, in.Identity)
	}
	return m, err
}

// RunInput names the run of manifest m as an input of another run.
func RunInput(table string, m *Manifest) (Input, error) {
	data, err := m.Encode()
	if err != nil {
		return Input{}, err
	}
	rowsOf := AdjustmentsTable
	if table == SealedInput {
		rowsOf = ChargesTable
	}
	in := Input{Table: table, Key: m.RunKey() + manifestName, Size: int64(len(data)), Identity: sha256Hex(data)}
	for _, f := range m.Files {
		if name, _, _ := SchemaOf(f.Name); name == rowsOf && strings.HasSuffix(f.Name, parquetExt) {
			in.Rows += f.Rows
		}
	}
	return in, nil
}

// ByAge puts the runs that adjust one month in the order in which they were
// published: each names all that came before it.
func ByAge(adjusting []*Manifest) {
	before := func(m *Manifest) int { return len(m.InputsOf(AdjustmentsInput)) }
	slices.SortStableFunc(adjusting, func(a, b *Manifest) int {
		if n := before(a) - before(b); n != 0 {
			return n
		}
		return strings.Compare(a.RunID, b.RunID)
	})
}

// validateRunInput: what is adjusted is the run's own month, what is taken in
// is an earlier one.
func (m *Manifest) validateRunInput(in Input) error {
	run, ok := strings.CutSuffix(in.Key, manifestName)
	period, _, err := splitRun(run)
	switch {
	case !ok || err != nil || !IsMonth(period) || !IsMonth(m.Period):
		return fmt.Errorf("input %s %q: not the manifest of a month's run in a month's run", in.Table, in.Key)
	case !hexText(in.Identity, len(sha256Hex(nil)), len(sha256Hex(nil))):
		return fmt.Errorf("input %s %q: identity %q is no sha256", in.Table, in.Key, in.Identity)
	case in.Table == TakenInput && period >= m.Period, in.Table != TakenInput && period != m.Period:
		return fmt.Errorf("input %s %q: of %s in a run of %s", in.Table, in.Key, period, m.Period)
	case m.Simulation != nil:
		return fmt.Errorf("input %s %q: in a simulation, which builds on no run", in.Table, in.Key)
	case in.Table == AdjustmentsInput && !m.Adjusts():
		return fmt.Errorf("input %s %q: no sealed run", in.Table, in.Key)
	case in.Table == SealedInput && len(m.InputsOf(SealedInput)) > 1:
		return fmt.Errorf("input %s %q: more than one", in.Table, in.Key)
	}
	return nil
}

// IsMonth says whether a period, as in keys, is a whole month: 2024-07. Only
// months can be closed.
func IsMonth(period string) bool {
	const month = "2024-07"
	if len(period) != len(month) {
		return false
	}
	for i, c := range []byte(period) {
		if c == '-' != (month[i] == '-') || c != '-' && (c < '0' || c > '9') {
			return false
		}
	}
	return period[5:] >= "01" && period[5:] <= "12"
}

// MonthBefore is empty where there is none.
func MonthBefore(month string) string {
	var year, number int
	if _, err := fmt.Sscanf(month, "%4d-%2d", &year, &number); err != nil {
		return ""
	}
	if number--; number == 0 {
		year, number = year-1, 12
	}
	if year < 1 {
		return ""
	}
	return fmt.Sprintf("%04d-%02d", year, number)
}

// CheckFile holds a file of a published run against its entry in the
// manifest, by size and sha256, for a reader that trusts its content: the
// error matches ErrVerify where it is not there or is another.
func CheckFile(ctx context.Context, t Target, run string, f FileEntry) error {
	key := run + f.Name
	stored, err := t.Open(ctx, key)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("read %s: %w: the file is not there", key, ErrVerify)
	}
	if err != nil {
		return fmt.Errorf("read %s: %w", key, err)
	}
	defer stored.Close()
	content, err := fetch(stored)
	if err != nil {
		return fmt.Errorf("read %s: %w", key, err)
	}
	problem := f.checkBytes(content.size, content.sha256)
	if err := content.release(); err != nil {
		return fmt.Errorf("read %s: %w", key, err)
	}
	if problem != nil {
		return fmt.Errorf("read %s: %w: %w", key, ErrVerify, problem)
	}
	return nil
}
