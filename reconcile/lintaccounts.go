package reconcile

import (
	"cmp"
	"strings"
)

func (l *linter) lintAccounts() {
	if l.Accounts == nil {
		return
	}
	rows := l.Accounts.Rows()
	valid := false
	for i := range rows {
		a := &rows[i]
		if !l.holds(a.From, a.To) {
			continue
		}
		valid = true
		l.lintAccount(a)
	}
	if !valid {
		l.found(LintError, LintAccounts, "", "no_account", "no account is valid on %v: every charge would be unrated", l.period)
	}
	for id, terms := range l.Accounts.byID {
		l.lintAccountGaps(id, terms.rows)
	}
	l.lintSimilarAccounts(rows)
}

// lintAccount looks at one row that is valid on some date of the period.
func (l *linter) lintAccount(a *Account) {
	if l.Rates != nil && l.plans[a.Plan] == nil {
		l.found(LintError, LintAccounts, a.Where, "plan_without_rates", "account %q: no rate is of plan %q", a.ID, a.Plan)
	}
	if a.VATRate == nil {
		l.found(LintWarning, LintAccounts, a.Where, "no_vat_rate", "account %q: no vat_rate is given, so that its statements are without VAT", a.ID)
	}
	if a.ID == AnyAccount {
		l.found(LintWarning, LintAccounts, a.Where, "any_account", "every account id without a row of its own is charged by plan %q", a.Plan)
	}
}

// lintAccountGaps looks for dates of the period between two rows of one
// account. An account that begins or ends within the period has none.
func (l *linter) lintAccountGaps(id string, rows []Account) {
	for i := 1; i < len(rows); i++ {
		gap := l.period.within(span{from: rows[i-1].To, to: rows[i].From})
		if !gap.empty() {
			l.found(LintError, LintAccounts, rows[i].Where, "gap", "account %q: no row is valid on %v, after %s", id, gap, rows[i-1].Where)
		}
	}
}

// lintSimilarAccounts looks for ids that differ in case only: one of them is
// likely not the id in the exports.
func (l *linter) lintSimilarAccounts(rows []Account) {
	first := make(map[string]*Account)
	seen := make(map[string]bool)
	for i := range rows {
		a := &rows[i]
		if !l.holds(a.From, a.To) {
			continue
		}
		folded := strings.ToLower(a.ID)
		other := first[folded]
		first[folded] = cmp.Or(other, a)
		if other != nil && other.ID != a.ID && !seen[a.ID] {
			l.found(LintWarning, LintAccounts, a.Where, "similar_account", "account %q: %s has account %q", a.ID, other.Where, other.ID)
		}
		seen[a.ID] = true
	}
}
