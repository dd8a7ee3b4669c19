package writer

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"

	"waconcile/reconcile"
)

// FormatVersion is the version of the layout of a run: its tables, its
// manifest, its keys and the bytes of its files. Runs of oldestFormat and later
// can be read; those of format 1 have statements without the column
// adjusted_period, those up to 2 have the same values in other zstd frames, and
// those up to 3 have statements without period and note, with six decimals in
// CSV whatever the currency, and no settings and totals of recharges.
const (
	FormatVersion = 4
	oldestFormat  = 1
)

// The verdicts of a run.
const (
	Complete   = "complete"
	Incomplete = "incomplete" // days were missing and the run was told to go on
)

// The tables that inputs belong to.
const (
	ExportsInput   = "exports"
	RatesInput     = "rates"
	AccountsInput  = "accounts"
	MarketsInput   = "markets"
	RechargesInput = "recharges"
	InvoicesInput  = "invoices"

	// What the provider charges by, where a run has both books.
	CostRatesInput    = "cost_rates"
	CostAccountsInput = "cost_accounts"
	CostMarketsInput  = "cost_markets"
	FxInput           = "fx" // exchange rates

	// Runs that a run builds on: the key is that of the manifest, the identity
	// its sha256, the rows those of the charges, or of the adjustments.
	SealedInput      = "sealed"            // the sealed run of the month that the run adjusts
	AdjustmentsInput = "adjustments"       // the runs that adjusted that month before
	TakenInput       = "adjustments_taken" // runs that adjust earlier months, on the statements of this one
)

// Manifest says what a run is, what it was made from and what it consists of.
// It holds no clock, host, place or worker count: the same inputs give the
// same bytes.
type Manifest struct {
	FormatVersion int     `json:"format_version"`
	Program       Program `json:"program"`
	RulesVersion  string  `json:"rules_version"`
	Period        string  `json:"period"` // as in keys: 2024-07
	First         string  `json:"first"`  // first billing date, YYYY-MM-DD
	Last          string  `json:"last"`   // last billing date, included
	RunID         string  `json:"run_id"`
	// InputsSHA256 is a hash of what makes a run the same run whatever history
	// it started from: the period, its inputs, the settings, the versions.
	InputsSHA256 string   `json:"inputs_sha256"`
	Verdict      string   `json:"verdict"`
	Settings     Settings `json:"settings"`
	// Simulation says that the run is one; absent from the manifest of any other.
	Simulation *Simulation `json:"simulation,omitempty"`
	// Checkpoint is the key of the checkpoint that the run started from; null
	// where it read back.
	Checkpoint *string `json:"checkpoint"`
	// RechargeHistory is what balances of recharges were made from before the
	// period; absent where none had been bought.
	RechargeHistory *RechargeHistory `json:"recharge_history,omitempty"`
	DaysRead        []string         `json:"days_read"`
	DaysMissing     []string         `json:"days_missing"`
	Inputs          []Input          `json:"inputs"` // sorted by table and key
	Files           []FileEntry      `json:"files"`  // sorted by name
	Control         []ControlTotal   `json:"control"`
	Counts          Counts           `json:"counts"`
	Totals          []CurrencyTotals `json:"totals"` // sorted by currency
}

// Program is what made the run.
type Program struct {
	Name    string `json:"name"`
	Version string `json:"version"`
}

// Input is one object that was read.
type Input struct {
	Table    string `json:"table"`    // ExportsInput …
	Key      string `json:"key"`      // relative to where its table lies
	Size     int64  `json:"size"`     // bytes
	Identity string `json:"identity"` // S3 ETag, or sha256
	Rows     int64  `json:"rows"`
}

// Settings are the settings that change rows.
type Settings struct {
	Columns        map[string]string `json:"columns"` // names of the exports by names of the contract
	IgnoreTypes    []string          `json:"ignore_types"`
	Lookback       int               `json:"lookback"`         // days
	LateDays       int               `json:"late_days"`        // days
	DeliveryDays   int               `json:"delivery_days"`    // days
	MaxRejectRatio string            `json:"max_reject_ratio"` // decimal
	AllowMissing   bool              `json:"allow_missing"`
	CompleteMarker string            `json:"complete_marker"`
	ExpiryDays     int               `json:"expiry_days"`
	Rounding       string            `json:"rounding"`
	InvoiceBook    string            `json:"invoice_book,omitempty"` // SellBook or CostBook; empty where there is one book, or no invoice
	// VATAt is a reconcile.VATAt. Up to format 3 there was none, which stands
	// for recharge.
	VATAt string `json:"vat_at,omitempty"`
}

// VATDue is when VAT is due on what recharges pay.
func (s *Settings) VATDue() reconcile.VATAt {
	at, _ := reconcile.ParseVATAt(s.VATAt) // Validate has looked at it
	return at
}

// ControlTotal is an identity that was checked before the run was published.
type ControlTotal struct {
	Name  string `json:"name"`
	Left  string `json:"left"` // a number
	Right string `json:"right"`
	OK    bool   `json:"ok"`
	Text  string `json:"text"` // the identity in words: rows read = rejected + …
}

// Counts are what became of the rows and messages.
type Counts struct {
	RowsRead            int64            `json:"rows_read"`
	Carried             int64            `json:"carried"`  // messages and rows taken over from the checkpoint
	Rejected            map[string]int64 `json:"rejected"` // by reason
	Merged              int64            `json:"merged"`
	BeforeCheckpoint    int64            `json:"before_checkpoint"`
	Messages            int64            `json:"messages"`
	Inbound             int64            `json:"inbound"`
	NotCounted          NotCounted       `json:"not_counted"`
	Joined              int64            `json:"joined"`
	Opened              int64            `json:"opened"`
	OpenedOutsidePeriod int64            `json:"opened_outside_period"`
	OutsideWindow       int64            `json:"outside_window"`
	Ahead               int64            `json:"ahead"`
	Misplaced           int64            `json:"misplaced"`
	Late                int64            `json:"late"`                  // of before_checkpoint, rows that no run before can have seen
	Conversations       map[string]int64 `json:"conversations"`         // charges by category
	Differences         map[string]int64 `json:"differences"`           // rows by class
	Findings            map[string]int64 `json:"findings"`              // rows by kind
	Adjustments         map[string]int64 `json:"adjustments,omitempty"` // rows by kind; of a run that adjusts a closed month
}

// NotCounted are the messages that neither open nor join anything (R2).
type NotCounted struct {
	Failed      int64 `json:"failed"`
	Undelivered int64 `json:"undelivered"`
	Ignored     int64 `json:"ignored"`
}

// CurrencyTotals are the sums of the statements in one currency. Up to format
// 3 there are neither Prepaid nor Payable.
type CurrencyTotals struct {
	Currency string `json:"currency"`
	Net      string `json:"net"` // Prepaid + Payable
	Prepaid  string `json:"prepaid,omitempty"`
	Payable  string `json:"payable,omitempty"`
	VAT      string `json:"vat"`
	Gross    string `json:"gross"` // Payable + VAT
}

// RunKey is the prefix of the run's files; it ends in a slash.
func (m *Manifest) RunKey() string {
	if m.Simulation != nil {
		return SimulationPrefix(m.Period, m.RunID)
	}
	return RunPrefix(m.Period, m.RunID)
}

// Encode gives the one form in which a manifest is published: JSON, two
// spaces for each level, a newline at the end. Lists are sorted in place and
// none is null.
func (m *Manifest) Encode() ([]byte, error) {
	m.normalise()
	if err := m.Validate(); err != nil {
		return nil, err
	}
	return encodeJSON(m)
}

// DecodeManifest reads what Encode gave, byte for byte, and nothing else.
func DecodeManifest(data []byte) (*Manifest, error) {
	var m Manifest
	if err := decodeJSON(data, &m); err != nil {
		return nil, fmt.Errorf("manifest: %w", err)
	}
	again, err := m.Encode()
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(again, data) {
		return nil, errors.New("manifest: not in the form in which manifests are written")
	}
	return &m, nil
}

func encodeJSON(v any) ([]byte, error) {
	var buf bytes.Buffer
	e := json.NewEncoder(&buf)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	err := e.Encode(v)
	return buf.Bytes(), err
}

// decodeJSON takes one value and nothing after it.
func decodeJSON(data []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("more than one JSON value")
	}
	return nil
}

func (m *Manifest) normalise() {
	m.DaysRead = sortedList(m.DaysRead, strings.Compare)
	m.DaysMissing = sortedList(m.DaysMissing, strings.Compare)
	m.Inputs = sortedList(m.Inputs, compareInputs)
	m.Files = sortedList(m.Files, func(a, b FileEntry) int { return cmp.Compare(a.Name, b.Name) })
	m.Totals = sortedList(m.Totals, func(a, b CurrencyTotals) int { return cmp.Compare(a.Currency, b.Currency) })
	m.Settings.IgnoreTypes = sortedList(m.Settings.IgnoreTypes, strings.Compare)
	if m.Control == nil {
		m.Control = []ControlTotal{}
	}
	if m.Settings.Columns == nil {
		m.Settings.Columns = map[string]string{}
	}
	for i := range m.Files {
		if m.Files[i].Totals == nil {
			m.Files[i].Totals = map[string]string{}
		}
	}
	for _, counts := range []*map[string]int64{&m.Counts.Rejected, &m.Counts.Conversations, &m.Counts.Differences, &m.Counts.Findings} {
		if *counts == nil {
			*counts = map[string]int64{}
		}
	}
}

// sortedList is never nil.
func sortedList[T any](list []T, compare func(a, b T) int) []T {
	if list == nil {
		return []T{}
	}
	slices.SortStableFunc(list, compare)
	return list
}

func compareInputs(a, b Input) int {
	return cmp.Or(cmp.Compare(a.Table, b.Table), cmp.Compare(a.Key, b.Key))
}

// Validate checks what can be known to be wrong from the manifest alone.
func (m *Manifest) Validate() error {
	checks := []func() error{m.validateHead, m.validateSettings, m.validateDays, m.validateInputs, m.validateBooks, m.validateFiles, m.validateControl}
	for _, check := range checks {
		if err := check(); err != nil {
			return fmt.Errorf("manifest: %w", err)
		}
	}
	return nil
}

func (m *Manifest) validateHead() error {
	switch {
	case m.FormatVersion < oldestFormat || m.FormatVersion > FormatVersion:
		return fmt.Errorf("format version %d, this program knows %d to %d", m.FormatVersion, oldestFormat, FormatVersion)
	case m.Program.Name == "" || m.RulesVersion == "":
		return errors.New("no program name or no rules version")
	case !hexText(m.RunID, runIDMin, sha256.Size*2):
		return fmt.Errorf("run id %q is no hash", m.RunID)
	case !hexText(m.InputsSHA256, sha256.Size*2, sha256.Size*2):
		return fmt.Errorf("inputs_sha256 %q is no sha256", m.InputsSHA256)
	case m.Verdict != Complete && m.Verdict != Incomplete:
		return fmt.Errorf("verdict %q", m.Verdict)
	}
	first, err := reconcile.ParseDate(m.First)
	if err != nil {
		return fmt.Errorf("first: %w", err)
	}
	last, err := reconcile.ParseDate(m.Last)
	if err != nil {
		return fmt.Errorf("last: %w", err)
	}
	if name := periodName(first, last); first > last || m.Period != name {
		return fmt.Errorf("period %q from %s to %s, want %q", m.Period, m.First, m.Last, name)
	}
	return nil
}

// validateSettings: a setting has one text, and none before it was known.
func (m *Manifest) validateSettings() error {
	text := m.Settings.VATAt
	at, known := reconcile.ParseVATAt(text)
	if old := m.FormatVersion < 4; old && text != "" || !old && (!known || text != at.String()) {
		return fmt.Errorf("settings: vat_at %q in format %d", text, m.FormatVersion)
	}
	return nil
}

// runIDMin is the least number of hex digits of a run id.
const runIDMin = 16

// periodName is how keys name the billing dates first to last: 2024-07,
// 2024-07-03 or 2024-07-01_2024-07-15 (contract).
func periodName(first, last reconcile.Date) string {
	from, to := first.String(), last.String()
	const monthLength = len("2024-07")
	wholeMonth := strings.HasSuffix(from, "-01") && from[:monthLength] == to[:monthLength] &&
		strings.HasSuffix((last+1).String(), "-01")
	switch {
	case wholeMonth:
		return from[:monthLength]
	case first == last:
		return from
	}
	return from + "_" + to
}

// isCheckpoint takes checkpoints/{date}/{sha256}/.
func isCheckpoint(key string) bool {
	parts := strings.Split(key, "/")
	if len(parts) != 4 || parts[0] != "checkpoints" || parts[3] != "" {
		return false
	}
	_, err := reconcile.ParseDate(parts[1])
	return err == nil && hexText(parts[2], sha256.Size*2, sha256.Size*2)
}

func (m *Manifest) validateDays() error {
	if err := m.RechargeHistory.validate(); err != nil {
		return err
	}
	for _, list := range [][]string{m.DaysRead, m.DaysMissing} {
		for i, day := range list {
			if _, err := reconcile.ParseDate(day); err != nil {
				return fmt.Errorf("days: %w", err)
			}
			if i > 0 && list[i-1] == day {
				return fmt.Errorf("days: %s twice", day)
			}
		}
	}
	if m.Checkpoint != nil && !isCheckpoint(*m.Checkpoint) {
		return fmt.Errorf("checkpoint %q is no key of the form checkpoints/2024-07-01/<sha256>/", *m.Checkpoint)
	}
	if len(m.DaysMissing) > 0 && m.Verdict != Incomplete {
		return fmt.Errorf("days are missing and the verdict is %s", m.Verdict)
	}
	return nil
}

func (m *Manifest) validateInputs() error {
	for i, in := range m.Inputs {
		switch {
		case in.Key == "" || in.Identity == "" || in.Size < 0 || in.Rows < 0:
			return fmt.Errorf("input %s %q: no key, no identity or a negative number", in.Table, in.Key)
		case i > 0 && compareInputs(m.Inputs[i-1], in) == 0:
			return fmt.Errorf("input %s %q twice", in.Table, in.Key)
		}
		switch in.Table {
		case ExportsInput, RatesInput, AccountsInput, MarketsInput, RechargesInput, InvoicesInput:
		case CostRatesInput, CostAccountsInput, CostMarketsInput, FxInput:
		case SealedInput, AdjustmentsInput, TakenInput:
			if err := m.validateRunInput(in); err != nil {
				return err
			}
		default:
			return fmt.Errorf("input %q of table %q", in.Key, in.Table)
		}
	}
	return nil
}

// validateBooks: the provider's book is whole or not there, exchange rates are of
// no use without it, and a run names the book of its invoices if and only if it
// has two books and invoices.
func (m *Manifest) validateBooks() error {
	has := func(table string) bool { return len(m.InputsOf(table)) > 0 }
	for _, table := range []string{CostAccountsInput, CostMarketsInput} {
		if has(table) != m.Costs() {
			return fmt.Errorf("inputs of %s: %v, of %s: %v", CostRatesInput, m.Costs(), table, has(table))
		}
	}
	if has(FxInput) && !m.Costs() {
		return fmt.Errorf("inputs of %s, and none of %s", FxInput, CostRatesInput)
	}
	book, named := m.Settings.InvoiceBook, m.Costs() && has(InvoicesInput)
	if named != (book == SellBook || book == CostBook) || !named && book != "" {
		return fmt.Errorf("invoice_book %q; the run has the provider's book: %v, and invoices: %v", book, m.Costs(), has(InvoicesInput))
	}
	return nil
}

func (m *Manifest) validateFiles() error {
	for i, f := range m.Files {
		switch {
		case !fs.ValidPath(f.Name) || f.Name == "." || f.Name == manifestName:
			return fmt.Errorf("file %q: not a name within a run", f.Name)
		case i > 0 && m.Files[i-1].Name == f.Name:
			return fmt.Errorf("file %s twice", f.Name)
		case f.Rows < 0 || f.Bytes < 0 || !hexText(f.SHA256, sha256.Size*2, sha256.Size*2):
			return fmt.Errorf("file %s: a negative number, or %q is no sha256", f.Name, f.SHA256)
		}
	}
	return nil
}

func (m *Manifest) validateControl() error {
	seen := make(map[string]bool, len(m.Control))
	for _, c := range m.Control {
		if c.Name == "" || seen[c.Name] {
			return fmt.Errorf("control total %q: no name, or twice", c.Name)
		}
		seen[c.Name] = true
		if equal, err := equalNumbers(c.Left, c.Right); err != nil || equal != c.OK {
			return fmt.Errorf("control total %s: %s and %s with ok = %v", c.Name, c.Left, c.Right, c.OK)
		}
	}
	return nil
}

func equalNumbers(a, b string) (bool, error) {
	left, err := reconcile.ParseDecimal(a)
	if err != nil {
		return false, err
	}
	right, err := reconcile.ParseDecimal(b)
	return left.Equal(right), err
}

func hexText(s string, least, most int) bool {
	if len(s) < least || len(s) > most || strings.ToLower(s) != s {
		return false
	}
	for _, c := range []byte(s) {
		if !strings.ContainsRune("0123456789abcdef", rune(c)) {
			return false
		}
	}
	return true
}

// Pointer is a mutable object of a period: it names the run that counts, or
// the newest of those that adjust it.
type Pointer struct {
	Run            string  `json:"run"` // runs/{period}/{run_id}/
	ManifestSHA256 string  `json:"manifest_sha256"`
	Previous       *string `json:"previous"` // the run that it named before; null at first
	// Sealed says that the month is closed: this pointer never moves again.
	Sealed bool `json:"sealed,omitempty"`
}

// encode gives one line: {"run": "…", "manifest_sha256": "…", "previous": null}.
func (p *Pointer) encode() ([]byte, error) { return encodeLine(p) }

// encodeLine writes a flat object as one line of JSON.
func encodeLine(v any) ([]byte, error) {
	pretty, err := encodeJSON(v)
	if err != nil {
		return nil, err
	}
	lines := strings.Split(strings.TrimSpace(string(pretty)), "\n")
	for i := range lines {
		lines[i] = strings.TrimSpace(lines[i])
	}
	body := strings.Join(lines[1:len(lines)-1], " ")
	return []byte("{" + body + "}\n"), nil
}

// decodePointer reads a pointer in any JSON form.
func decodePointer(data []byte) (*Pointer, error) {
	var p Pointer
	if err := decodeJSON(data, &p); err != nil {
		return nil, fmt.Errorf("pointer: %w", err)
	}
	if _, _, err := splitRun(p.Run); err != nil {
		return nil, fmt.Errorf("pointer: %w", err)
	}
	if !hexText(p.ManifestSHA256, sha256.Size*2, sha256.Size*2) {
		return nil, fmt.Errorf("pointer: manifest_sha256 %q is no sha256", p.ManifestSHA256)
	}
	return &p, nil
}

// splitRun takes runs/{period}/{run_id}/ apart.
func splitRun(run string) (period, runID string, err error) {
	parts := strings.Split(run, "/")
	if len(parts) != 4 || parts[0] != "runs" || parts[3] != "" || !fs.ValidPath(strings.TrimSuffix(run, "/")) {
		return "", "", fmt.Errorf("%q is no run of the form runs/2024-07/<run_id>/", run)
	}
	return parts[1], parts[2], nil
}

func sha256Hex(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}
