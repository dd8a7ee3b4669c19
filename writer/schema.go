package writer

import (
	"path"
	"slices"
	"strings"
)

// The tables of a run, as their files are named.
const (
	ChargesTable     = "charges"
	SummaryTable     = "summary"
	StatementsTable  = "statements"
	DifferencesTable = "differences"
	FindingsTable    = "findings"
	RejectsTable     = "rejects"
	AdjustmentsTable = "adjustments"
	RechargesTable   = "recharges"
)

// ChargesSchema is the table of charges (contract, Outputs) of a run that has
// one book; see CostChargesSchema. Every file of it
// is sorted by account_id, business_number, contact, opened_at and category.
func ChargesSchema() Schema {
	return Schema{
		{Name: "charge_id", Type: Text, Unique: true},
		{Name: "account_id", Type: Text},
		{Name: "business_number", Type: Text},
		{Name: "contact", Type: Text, Unique: true},
		{Name: "country", Type: Text, Nullable: true},
		{Name: "market", Type: Text, Nullable: true},
		{Name: "unit", Type: Text},
		{Name: "category", Type: Text},
		{Name: "rules", Type: Text},
		{Name: "opened_at", Type: Instant, Unique: true},
		{Name: "expires_at", Type: Instant, Nullable: true, Unique: true},
		{Name: "billing_date", Type: Day},
		{Name: "opened_by", Type: Text, Unique: true},
		{Name: "messages_out", Type: Int32},
		{Name: "messages_in", Type: Int32},
		{Name: "plan", Type: Text, Nullable: true},
		{Name: "unit_price", Type: Money, Nullable: true},
		{Name: "currency", Type: Text, Nullable: true},
		{Name: "amount", Type: Money, Nullable: true},
		{Name: "status", Type: Text},
		{Name: "reason", Type: Text, Nullable: true},
		{Name: "recharge_id", Type: Text, Nullable: true},
		{Name: "certainty", Type: Text},
	}
}

// AdjustmentsSchema is the table of what changes in a closed month: the
// charges that are taken back and those that are made instead. It is sorted
// by billing_date, account_id, business_number, contact, opened_at, category,
// charge_id and kind, the reversal first.
func AdjustmentsSchema() Schema {
	return append(ChargesSchema(),
		ColumnSpec{Name: "kind", Type: Text},       // reversal, replacement
		ColumnSpec{Name: "sealed_run", Type: Text}, // runs/{period}/{run_id}/
		ColumnSpec{Name: "adjustment_id", Type: Text, Unique: true},
		ColumnSpec{Name: "vat_rate", Type: Money, Nullable: true}, // that the charge was billed at; of a replacement, is to be
	)
}

// SummarySchema is the table of charges counted and added up, sorted by its
// columns up to status. net_amount is null where nothing has a price.
func SummarySchema() Schema {
	return Schema{
		{Name: "account_id", Type: Text},
		{Name: "billing_date", Type: Day},
		{Name: "country", Type: Text, Nullable: true},
		{Name: "market", Type: Text, Nullable: true},
		{Name: "category", Type: Text},
		{Name: "unit", Type: Text},
		{Name: "plan", Type: Text, Nullable: true},
		{Name: "unit_price", Type: Money, Nullable: true},
		{Name: "currency", Type: Text, Nullable: true},
		{Name: "status", Type: Text},
		{Name: "quantity", Type: Int64},
		{Name: "net_amount", Type: WideMoney, Nullable: true},
	}
}

// StatementsSchema is the table of what each account owes (R13), sorted by
// account_id, currency, vat_rate and adjusted_period, which is null for the
// period's own charges and else the closed month whose adjustments the row
// adds up. period is that of the run, as in keys: with it a row names itself
// wherever its file comes to. In the CSV file money has the decimals of its
// currency's minor unit.
func StatementsSchema() Schema {
	s := append(statementsSchema3(),
		ColumnSpec{Name: "period", Type: Text},
		ColumnSpec{Name: "note", Type: Text, Nullable: true}, // reverse charge
	)
	for i := range s {
		if s[i].Type == WideMoney {
			s[i].MinorOf = "currency"
		}
	}
	return s
}

// statementsSchema3 is what StatementsSchema was in format 3.
func statementsSchema3() Schema {
	return Schema{
		{Name: "account_id", Type: Text},
		{Name: "currency", Type: Text, Nullable: true},
		{Name: "vat_rate", Type: Money, Nullable: true},
		{Name: "charges", Type: Int64},
		{Name: "net_amount", Type: WideMoney, Nullable: true},
		{Name: "prepaid_net", Type: WideMoney, Nullable: true},
		{Name: "payable_net", Type: WideMoney, Nullable: true},
		{Name: "vat_amount", Type: WideMoney, Nullable: true},
		{Name: "gross_amount", Type: WideMoney, Nullable: true},
		{Name: "unrated", Type: Int64},
		{Name: "adjusted_period", Type: Text, Nullable: true},
	}
}

// DifferencesSchema is the table of what the invoices say minus what the
// charges say. Text columns are null where a line leaves them empty and so
// covers all; amounts and effects are null in class outside_period alone.
func DifferencesSchema() Schema {
	return Schema{
		{Name: "invoice_id", Type: Text, Nullable: true},
		{Name: "line_ids", Type: Text, Nullable: true},
		{Name: "account_id", Type: Text},
		{Name: "business_number", Type: Text, Nullable: true},
		{Name: "date_from", Type: Day},
		{Name: "date_to", Type: Day},
		{Name: "market", Type: Text, Nullable: true},
		{Name: "category", Type: Text, Nullable: true},
		{Name: "our_quantity", Type: WideMoney, Nullable: true},
		{Name: "their_quantity", Type: WideMoney, Nullable: true},
		{Name: "our_amount", Type: WideMoney, Nullable: true},
		{Name: "their_amount", Type: WideMoney, Nullable: true},
		{Name: "currency", Type: Text, Nullable: true},
		{Name: "amount_difference", Type: WideMoney, Nullable: true},
		{Name: "quantity_effect", Type: WideMoney, Nullable: true},
		{Name: "price_effect", Type: WideMoney, Nullable: true},
		{Name: "arithmetic_effect", Type: WideMoney, Nullable: true},
		{Name: "rounding_effect", Type: WideMoney, Nullable: true},
		{Name: "class", Type: Text},
		{Name: "detail", Type: Text, Nullable: true},
	}
}

// RechargesSchema is the table of what became of each recharge in the period
// (R12), sorted by account_id and recharge_id: opening + bought - used - expired
// = closing. It has all that were bought before the period ended.
func RechargesSchema() Schema {
	return Schema{
		{Name: "account_id", Type: Text},
		{Name: "recharge_id", Type: Text},
		{Name: "plan", Type: Text},
		{Name: "currency", Type: Text},
		{Name: "purchased_at", Type: Instant},
		{Name: "expires_at", Type: Instant, Nullable: true},
		{Name: "opening", Type: Money},
		{Name: "bought", Type: Money},
		{Name: "used", Type: Money},
		{Name: "expired", Type: Money},
		{Name: "closing", Type: Money},
	}
}

// FindingsSchema is the table of what a person should look at.
func FindingsSchema() Schema {
	return Schema{
		{Name: "kind", Type: Text},
		{Name: "account_id", Type: Text, Nullable: true},
		{Name: "business_number", Type: Text, Nullable: true},
		{Name: "contact", Type: Text, Nullable: true},
		{Name: "message_id", Type: Text, Nullable: true},
		{Name: "at", Type: Instant, Nullable: true},
		{Name: "detail", Type: Text, Nullable: true},
	}
}

// RejectsSchema is the table of rows that could not be used. Its bytes follow
// how the exports were cut into files; those of no other table do.
func RejectsSchema() Schema {
	return Schema{
		{Name: "file", Type: Text},
		{Name: "row", Type: Int64},
		{Name: "reason", Type: Text},
		{Name: "detail", Type: Text, Nullable: true},
	}
}

// SchemaOf is the schema of a file of a run by its name relative to the run:
// charges/YYYY-MM-DD/*.parquet, and summary, statements, differences,
// findings, rejects, recharges and adjustments as .parquet and as .csv. ok is false for
// any other.
func SchemaOf(name string) (table string, s Schema, ok bool) {
	ext := path.Ext(name)
	if dir, _, charges := strings.Cut(name, "/"); charges {
		return ChargesTable, ChargesSchema(), dir == ChargesTable && ext == parquetExt
	}
	if ext != parquetExt && ext != csvExt {
		return "", nil, false
	}
	table = strings.TrimSuffix(name, ext)
	switch table {
	case SummaryTable:
		return table, SummarySchema(), true
	case StatementsTable:
		return table, StatementsSchema(), true
	case DifferencesTable:
		return table, DifferencesSchema(), true
	case FindingsTable:
		return table, FindingsSchema(), true
	case RejectsTable:
		return table, RejectsSchema(), true
	case AdjustmentsTable:
		return table, AdjustmentsSchema(), true
	case RechargesTable:
		return table, RechargesSchema(), true
	}
	return "", nil, false
}

// SchemaOf is SchemaOf in a run of the manifest's format.
func (m *Manifest) SchemaOf(name string) (table string, s Schema, ok bool) {
	table, s, ok = SchemaOf(name)
	if table == StatementsTable && m.FormatVersion < 4 {
		s = statementsSchema3()
	}
	if table == StatementsTable && m.FormatVersion < 2 {
		s = s[:s.index("adjusted_period")]
	}
	if m.Costs() {
		s = withCosts(table, s)
	}
	return table, s, ok
}

const (
	parquetExt = ".parquet"
	csvExt     = ".csv"
)

// has says whether a column is called name.
func (s Schema) has(name string) bool {
	return slices.ContainsFunc(s, func(c ColumnSpec) bool { return c.Name == name })
}

// index is the place of the column called name; the schema has it.
func (s Schema) index(name string) int {
	for i := range s {
		if s[i].Name == name {
			return i
		}
	}
	panic("no column " + name)
}
