package reconcile

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// LintSeverity says what a finding of Lint means to a run.
type LintSeverity uint8

// The severities.
const (
	LintError   LintSeverity = iota // a run would refuse the table, or charges would be unrated or wrong
	LintWarning                     // a person should look at it
)

func (s LintSeverity) String() string { return [2]string{"error", "warning"}[s] }

// The tables that Lint looks at, as findings name them.
const (
	LintRates     = "rates"
	LintAccounts  = "accounts"
	LintMarkets   = "markets"
	LintRecharges = "recharges"
)

// LintFinding is one thing that a table has and should not have, or lacks.
type LintFinding struct {
	Severity LintSeverity
	Table    string
	Where    string // the row, as "rates.csv:7"; empty where it is about none
	Check    string // what was looked for, such as "gap"
	Text     string
}

// LintTables are the tables to look at. Each may be nil: the checks that need
// it are left out then.
type LintTables struct {
	Rates     *RateBook
	Accounts  *Accounts
	Markets   *Markets
	Recharges *Recharges
	// UsesUnknown says that a table which tells what plans are used by is there
	// and could not be read: no plan is then called unused. Where there are no
	// accounts at all, every plan counts as used wherever it has rows.
	UsesUnknown bool
}

// LintPeriod is what the tables are judged for: the billing dates [From, To),
// and the instant at which they are.
type LintPeriod struct {
	From, To Date
	Now      int64
}

// Lint looks at the tables of a run for what would make charges of the period
// unrated or wrong, and for what a person should know of. The findings are in
// the order of tables, files and lines.
func Lint(t LintTables, p LintPeriod) []LintFinding {
	l := &linter{
		LintTables: t, period: span{from: p.From, to: p.To}, now: p.Now,
		dated: make(map[LintFinding][]span), shared: make(map[marketFinding][]span), places: make(map[Date][]marketPlaces),
	}
	if t.Rates != nil {
		l.plans = plansOf(t.Rates)
	}
	l.uses = l.planUses()
	l.lintRates()
	l.lintAccounts()
	l.lintMarkets()
	l.lintRecharges()
	for f, spans := range l.dated {
		f.Text += " on " + spanTexts(spans)
		l.findings = append(l.findings, f)
	}
	l.joinMarkets()
	SortLintFindings(l.findings)
	return l.findings
}

// linter is one call of Lint.
type linter struct {
	LintTables
	period   span
	now      int64
	plans    map[string]*planRates
	uses     map[string][]planUse // by plan
	places   map[Date][]marketPlaces
	dated    map[LintFinding][]span   // on which dates a finding holds, which its text leaves open
	shared   map[marketFinding][]span // likewise, of findings that are told for many markets at once
	findings []LintFinding
}

func (l *linter) found(s LintSeverity, table, where, check, format string, args ...any) {
	l.findings = append(l.findings, LintFinding{s, table, where, check, fmt.Sprintf(format, args...)})
}

// foundOn adds dates to a finding. They come in order, and those that touch
// become one.
func (l *linter) foundOn(on span, s LintSeverity, table, where, check, format string, args ...any) {
	f := LintFinding{s, table, where, check, fmt.Sprintf(format, args...)}
	l.dated[f] = addSpan(l.dated[f], on)
}

// addSpan adds dates to spans before them.
func addSpan(spans []span, on span) []span {
	last := len(spans) - 1
	if last < 0 || spans[last].to < on.from {
		return append(spans, on)
	}
	spans[last].to = max(spans[last].to, on.to)
	return spans
}

func spanTexts(spans []span) string {
	texts := make([]string, len(spans))
	for i, s := range spans {
		texts[i] = s.String()
	}
	return strings.Join(texts, ", ")
}

// within is the part of a that lies in s; it is empty where from is not before
// to.
func (s span) within(a span) span { return span{from: max(s.from, a.from), to: min(s.to, a.to)} }

func (s span) empty() bool { return s.from >= s.to }

// pieces cuts s at the dates that lie in it.
func (s span) pieces(cuts []Date) []span {
	if s.empty() {
		return nil
	}
	edges := []Date{s.from}
	for _, d := range cuts {
		if s.from < d && d < s.to {
			edges = append(edges, d)
		}
	}
	slices.Sort(edges)
	edges = append(slices.Compact(edges), s.to)
	var pieces []span
	for i, from := range edges[:len(edges)-1] {
		pieces = append(pieces, span{from: from, to: edges[i+1]})
	}
	return pieces
}

// holds says whether dates of a row are dates of the period. What holds on none
// of them has no part in the charges of the period, and is not looked at.
func (l *linter) holds(from, to Date) bool {
	return !l.period.within(span{from: from, to: to}).empty()
}

// SortLintFindings puts findings in the order of tables, files, lines and
// checks.
func SortLintFindings(findings []LintFinding) {
	tables := []string{LintRates, LintAccounts, LintMarkets, LintRecharges}
	slices.SortFunc(findings, func(a, b LintFinding) int {
		return cmp.Or(
			cmp.Compare(slices.Index(tables, a.Table), slices.Index(tables, b.Table)),
			compareWhere(a.Where, b.Where),
			cmp.Compare(a.Severity, b.Severity), cmp.Compare(a.Check, b.Check), cmp.Compare(a.Text, b.Text))
	})
}

func compareWhere(a, b string) int {
	fileA, lineA := SplitWhere(a)
	fileB, lineB := SplitWhere(b)
	return cmp.Or(cmp.Compare(fileA, fileB), cmp.Compare(lineA, lineB))
}

// SplitWhere takes a row such as "rates.csv:7" apart. Without a line at its
// end the text is a file, and the line 0.
func SplitWhere(where string) (file string, line int) {
	i := strings.LastIndexByte(where, ':')
	line, err := strconv.Atoi(where[i+1:])
	if i < 0 || err != nil {
		return where, 0
	}
	return where[:i], line
}
