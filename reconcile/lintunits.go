package reconcile

// lintNoPrice reports a category that the plan has no price in at all by the
// unit that is charged: prices by the other unit are then likely meant.
func (l *linter) lintNoPrice(p *planRates, what priced, on span) {
	other := priced{what.category, what.unit.other()}
	rules, used := l.rulesFor(p, what, on.from)
	if _, prices := l.validRows(p, other, on.from); used && prices {
		l.foundOn(on, what.severity(), LintRates, l.Rates.rates[p.of[other][0]].Where, "unit", "%s: prices by %v alone, and rules %v charge by %v",
			planText(p.plan, what), other.unit, rules, what.unit)
		return
	}
	near := p.rows
	if rows := p.of[what]; len(rows) > 0 {
		near = rows
	}
	l.foundOn(on, what.severity(), LintRates, l.Rates.rates[near[0]].Where, "category_without_price", "%s: no market has a price", planText(p.plan, what))
}

func (u Unit) other() Unit { return UnitMessage - u }

// lintIdleUnits looks for a unit that the plan has prices by and that no rules
// of its users charge by.
func (l *linter) lintIdleUnits(p *planRates, on span) {
	for unit := UnitConversation; unit <= UnitMessage; unit++ {
		if rules, idle := l.idle(p, unit, on.from); idle {
			l.lintIdle(p, unit, rules, on)
		}
	}
}

// idle says whether the plan is used on d, and by rules only that do not
// charge by unit.
func (l *linter) idle(p *planRates, unit Unit, d Date) (rules Rules, idle bool) {
	for _, u := range l.uses[p.plan] {
		if !u.covers(d) {
			continue
		}
		// Marketing is the category that all rules charge at all times.
		if charged, _ := u.rules.Billed(Marketing, d); charged == unit {
			return rules, false
		}
		rules, idle = u.rules, true
	}
	return rules, idle
}

// lintIdle reports the first row with a price that is valid and that nothing is
// charged by. A category that has prices by this unit alone is an error of its
// own.
func (l *linter) lintIdle(p *planRates, unit Unit, rules Rules, on span) {
	for _, i := range p.rows {
		r := &l.Rates.rates[i]
		if r.Unit != unit || r.NoPrice || !(span{from: r.From, to: r.To}).covers(on.from) {
			continue
		}
		charged := priced{r.Category, unit.other()}
		if _, prices := l.validRows(p, charged, on.from); prices || !l.wanted(p, charged, on.from) {
			l.foundOn(on, LintWarning, LintRates, r.Where, "unit", "plan %q: prices by %v, by which rules %v do not charge", p.plan, unit, rules)
			return
		}
	}
}
