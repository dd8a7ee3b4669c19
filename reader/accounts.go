package reader

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
	_ "time/tzdata" // time zones for a machine that has no table of its own

	"github.com/shopspring/decimal"

	"waconcile/reconcile"
)

func accountColumns() []column {
	return []column{
		{name: "account_id"}, {name: "name", optional: true}, {name: "plan"}, {name: "rules", optional: true},
		{name: "basis", optional: true}, {name: "time_zone", optional: true}, {name: "vat_rate", optional: true},
		{name: "portfolio", optional: true}, {name: "valid_from", optional: true}, {name: "valid_to", optional: true},
	}
}

// ReadAccounts reads all .csv files of src as one table (contract, Accounts),
// and says which files they are. What cannot be used, among it rules that
// this build does not know, matches ErrInput and names file, line and column;
// so does a place without any file.
func ReadAccounts(ctx context.Context, src Source) (*reconcile.Accounts, []InputFile, error) {
	accounts, files, err := readAccounts(ctx, src)
	if err != nil {
		return nil, nil, fmt.Errorf("read accounts in %v: %w", src, err)
	}
	return accounts, files, nil
}

func readAccounts(ctx context.Context, src Source) (*reconcile.Accounts, []InputFile, error) {
	var rows []reconcile.Account
	zones := make(zones)
	files, err := readInputs(ctx, src, inputTable{columns: accountColumns(), each: func(r *record) {
		rows = append(rows, accountOf(r, zones))
	}})
	if err != nil {
		return nil, nil, err
	}
	if len(files) == 0 {
		return nil, nil, noFile()
	}
	accounts, err := reconcile.NewAccounts(rows)
	return accounts, files, refused(err)
}

func accountOf(r *record, zones zones) reconcile.Account {
	rules := rulesOf(r)
	a := reconcile.Account{
		Where:     r.where,
		ID:        r.required("account_id"),
		Name:      r.text("name"),
		Plan:      r.required("plan"),
		Rules:     rules,
		Basis:     basisOf(r, rules),
		VATRate:   vatRateOf(r),
		Portfolio: r.text("portfolio"),
	}
	a.From, a.To = r.validity()
	zone, err := zones.load(r.text("time_zone"))
	if err != nil {
		r.fail("time_zone", err)
	}
	a.Zone = zone
	return a
}

// rulesOf is the rules of an account, of which this build knows conversation.
func rulesOf(r *record) reconcile.Rules {
	s := r.text("rules")
	if s == "" {
		return reconcile.RulesConversation
	}
	rules, ok := reconcile.ParseRules(s)
	switch {
	case !ok:
		r.fail("rules", fmt.Errorf("%q are no rules: conversation or meta", s))
	case rules == reconcile.RulesMeta:
		r.fail("rules", errors.New("rules meta are not known to this build"))
	}
	return rules
}

// basisOf is the basis of an account: as given, else as its rules have it.
func basisOf(r *record, rules reconcile.Rules) reconcile.Basis {
	s := r.text("basis")
	if s == "" {
		return rules.Basis()
	}
	b, ok := reconcile.ParseBasis(s)
	if !ok {
		r.fail("basis", fmt.Errorf("%q is no basis: sent or delivered", s))
	}
	return b
}

// vatRateMax is the first fraction that is no VAT rate: 1.
const vatRateMax reconcile.Micros = 1_000_000

// vatRateOf is a fraction in [0, 1) with at most six decimals, nil where none
// is given.
func vatRateOf(r *record) *decimal.Decimal {
	s := r.text("vat_rate")
	if s == "" {
		return nil
	}
	rate, err := reconcile.ParseMicros(s)
	if err != nil {
		r.fail("vat_rate", err)
	} else if rate < 0 || rate >= vatRateMax {
		r.fail("vat_rate", fmt.Errorf("%s is no fraction from 0 to below 1, such as 0.22", s))
	}
	return new(rate.Decimal())
}

// zones are the time zones met so far, by name.
type zones map[string]*reconcile.Zone

// load finds a zone by its IANA name; empty is UTC. "Local" would make the
// result depend on the machine.
func (z zones) load(name string) (*reconcile.Zone, error) {
	if zone, ok := z[name]; ok {
		return zone, nil
	}
	if strings.EqualFold(name, "local") {
		return nil, fmt.Errorf("%q is not one time zone", name)
	}
	loc, err := time.LoadLocation(name)
	if err != nil {
		return nil, fmt.Errorf("%q is no time zone: %w", name, err)
	}
	z[name] = reconcile.NewZone(loc)
	return z[name], nil
}
