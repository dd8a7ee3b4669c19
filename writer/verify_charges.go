package writer

import (
	"cmp"
	"errors"
	"fmt"
	"path"

	"waconcile/reconcile"

	"github.com/shopspring/decimal"
)

// summaryKey is what charges have in common in one row of the summary. An
// empty text stands for null.
type summaryKey struct {
	account                                                 string
	date                                                    int64
	country, market, category, unit, plan, currency, status string
	price                                                   reconcile.Micros
	priced                                                  bool
	cost                                                    costKey
}

// owedKey is what charges have in common in the statements of an account;
// adjusted is the closed month of adjustments that are taken in, of which
// alone the VAT rate is known.
type owedKey struct {
	account, currency, adjusted string
	vat                         reconcile.VATRate
}

// counted is the key of what is counted over all currencies and VAT rates:
// charges without a currency are on a statement of another.
func (k owedKey) counted() owedKey { return owedKey{account: k.account, adjusted: k.adjusted} }

func (k owedKey) String() string {
	text := "account " + k.account
	if k.currency != "" {
		text += ", currency " + k.currency
	}
	if k.adjusted != "" {
		text += ", adjustments of " + k.adjusted
	}
	if k.vat.Given {
		text += ", VAT rate " + k.vat.String()
	}
	return text
}

// chargeSums is what is recomputed from charges: of one file while it is
// read, then of all.
type chargeSums struct {
	date    string // the directory of the file
	byCost  bool   // invoices are compared with what the charges cost
	problem error  // the first thing out of order
	last    chargeOrder
	rows    int64
	ids     map[string]struct{}

	summary  map[summaryKey]*chargeGroup
	owed     map[owedKey]*owed
	status   map[string]int64
	category map[string]int64
	paid     map[rechargeKey]*paidCharges // by each recharge
}

type chargeGroup struct {
	quantity  int64
	net, cost total
}

// owed is what the charges of an account in one currency come to, exactly.
type owed struct {
	charges, unrated int64
	payable, prepaid total
}

// chargeOrder is what the rows of a file are sorted by.
type chargeOrder struct {
	account, business, contact string
	openedAt                   int64
	category                   string
}

func (a *chargeOrder) compare(b *chargeOrder) int {
	return cmp.Or(
		cmp.Compare(a.account, b.account), cmp.Compare(a.business, b.business), cmp.Compare(a.contact, b.contact),
		cmp.Compare(a.openedAt, b.openedAt), cmp.Compare(a.category, b.category),
	)
}

func newChargeSums(name string) *chargeSums {
	return &chargeSums{
		date: path.Base(path.Dir(name)), ids: map[string]struct{}{},
		summary: map[summaryKey]*chargeGroup{}, owed: map[owedKey]*owed{},
		status: map[string]int64{}, category: map[string]int64{}, paid: map[rechargeKey]*paidCharges{},
	}
}

// chargeColumns are the columns of a frame of charges that are looked at.
type chargeColumns struct {
	id, account, business, contact, openedAt, category, date, status *Column
	country, market, unit, plan, currency, recharge, price, amount   *Column

	cost *costColumns
}

func columnsOfCharges(f *Frame) chargeColumns {
	s := ChargesSchema()
	of := func(name string) *Column { return &f.Columns[s.index(name)] }
	return chargeColumns{
		id: of("charge_id"), account: of("account_id"), business: of("business_number"), contact: of("contact"),
		openedAt: of("opened_at"), category: of("category"), date: of("billing_date"), status: of("status"),
		country: of("country"), market: of("market"), unit: of("unit"), plan: of("plan"),
		currency: of("currency"), recharge: of("recharge_id"), price: of("unit_price"), amount: of("amount"),
		cost: costColumnsOf(f),
	}
}

// text is empty for a null.
func (c *Column) textAt(row int) string {
	if c.isNull(row) {
		return ""
	}
	return c.Text[row]
}

func (c *Column) isNull(row int) bool { return c.Null != nil && c.Null[row] }

// microsAt is 0 for a null.
func (c *Column) microsAt(row int) reconcile.Micros {
	if c.isNull(row) {
		return 0
	}
	return c.Micros[row]
}

// wideAt is 0 for a null.
func (c *Column) wideAt(row int) decimal.Decimal {
	if c.isNull(row) {
		return decimal.Decimal{}
	}
	return c.Wide[row]
}

func (s *chargeSums) add(f Frame) {
	c := columnsOfCharges(&f)
	for row := range f.Rows {
		if s.problem == nil {
			if err := s.inOrder(&c, row); err != nil {
				s.problem = fmt.Errorf("row %d: %w", s.rows, err)
			}
		}
		s.addRow(&c, row)
		s.rows++
	}
}

// inOrder checks a row by itself, against its directory and the row before.
func (s *chargeSums) inOrder(c *chargeColumns, row int) error {
	if date := reconcile.Date(c.date.Int[row]).String(); date != s.date {
		return fmt.Errorf("billing date %s in the directory %s", date, s.date)
	}
	id := c.id.Text[row]
	if _, twice := s.ids[id]; twice {
		return fmt.Errorf("charge id %s for the second time", id)
	}
	s.ids[id] = struct{}{}
	if err := checkPriced(c.status.Text[row], c.price, c.amount, row); err != nil {
		return err
	}
	if err := c.cost.check(row); err != nil {
		return err
	}
	this := chargeOrder{c.account.Text[row], c.business.Text[row], c.contact.Text[row], c.openedAt.Int[row], c.category.Text[row]}
	if s.rows > 0 && s.last.compare(&this) > 0 {
		return errors.New("sorts before the row above it")
	}
	s.last = this
	return nil
}

// checkPriced looks at a charge by one of the books.
func checkPriced(status string, price, amount *Column, row int) error {
	unrated := amount.isNull(row)
	if unrated != (status == statusUnrated) || status == statusFree && amount.microsAt(row) != 0 {
		return fmt.Errorf("amount %s of a charge of status %s", amount.csvText(Money, row), status)
	}
	if status == statusCharged && (price.isNull(row) || price.microsAt(row) != amount.microsAt(row)) {
		return fmt.Errorf("amount %s of a charge at %s", amount.csvText(Money, row), price.csvText(Money, row))
	}
	return nil
}

func (s *chargeSums) addRow(c *chargeColumns, row int) {
	status := c.status.Text[row]
	s.status[status]++
	s.category[c.category.Text[row]]++
	amount := c.amount.microsAt(row)
	s.group(summaryKey{
		account: c.account.Text[row], date: c.date.Int[row], country: c.country.textAt(row), market: c.market.textAt(row),
		category: c.category.Text[row], unit: c.unit.Text[row], plan: c.plan.textAt(row), currency: c.currency.textAt(row),
		status: status, price: c.price.microsAt(row), priced: !c.price.isNull(row), cost: c.cost.keyAt(row),
	}).add(1, amount, c.cost.amountAt(row))
	o := s.owes(owedKey{account: c.account.Text[row], currency: c.currency.textAt(row)})
	o.charges++
	if status == statusUnrated {
		o.unrated++
	}
	if c.recharge.isNull(row) {
		o.payable.add(int64(amount))
	} else {
		o.prepaid.add(int64(amount))
		s.paidBy(rechargeKey{
			account: c.account.Text[row], id: c.recharge.Text[row], plan: c.plan.textAt(row), currency: c.currency.textAt(row),
		}).add(int64(amount), c.openedAt.Int[row])
	}
}

func (s *chargeSums) group(k summaryKey) *chargeGroup {
	g := s.summary[k]
	if g == nil {
		money := total{spec: ColumnSpec{Type: Money}}
		g = &chargeGroup{net: money, cost: money}
		s.summary[k] = g
	}
	return g
}

func (g *chargeGroup) add(quantity int64, amount, cost reconcile.Micros) {
	g.quantity += quantity
	g.net.add(int64(amount))
	g.cost.add(int64(cost))
}

func (s *chargeSums) owes(k owedKey) *owed {
	o := s.owed[k]
	if o == nil {
		money := total{spec: ColumnSpec{Type: Money}}
		o = &owed{payable: money, prepaid: money}
		s.owed[k] = o
	}
	return o
}

// merge adds the sums of another file.
func (s *chargeSums) merge(other *chargeSums) {
	s.rows += other.rows
	for k, n := range other.status {
		s.status[k] += n
	}
	for k, n := range other.category {
		s.category[k] += n
	}
	for k, g := range other.summary {
		mine := s.group(k)
		mine.quantity += g.quantity
		mine.net.merge(&g.net)
		mine.cost.merge(&g.cost)
	}
	for k, o := range other.owed {
		mine := s.owes(k)
		mine.charges += o.charges
		mine.unrated += o.unrated
		mine.payable.merge(&o.payable)
		mine.prepaid.merge(&o.prepaid)
	}
	for k, paid := range other.paid {
		s.paidBy(k).merge(paid)
	}
}
