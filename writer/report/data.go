package report

import "github.com/shopspring/decimal"

// Data is what a report shows. Slices may come in any order where the report
// sorts (statements, recharges, adjustments, summary, differences); the others are shown as they come.
// Texts are escaped by the report.
type Data struct {
	Period  string // as in the output's path: 2024-07
	From    string // the first billing date, YYYY-MM-DD
	To      string // the last one
	RunID   string
	Verdict string // shown as it is; all but "complete" in a warning colour
	Rules   string // version of the rules

	// Simulated says that nothing here is billed; Plan is then the plan that
	// every account was on, empty for those of the accounts.
	Simulated bool
	Plan      string

	// Sealed is the run that a closed month was billed by; empty where the
	// run adjusts none. Adjustments are what it changes there.
	Sealed      string
	Adjustments []Adjustment

	Statements  []Statement
	Recharges   []Recharge
	Unknown     []string // days since the first purchase without data, YYYY-MM-DD
	Summary     []SummaryRow
	Differences []Difference
	InvoiceBook string // sell or cost: what invoices are compared with, where there are two books
	Invoices    bool   // invoice files were read; without them the section says so

	Findings     []Count // by kind
	FindingRows  []Finding
	Rejects      []Count // by reason
	RejectRows   []Reject
	Controls     []Control
	Inputs       []Input
	Files        []File
	MissingDays  []string // YYYY-MM-DD, where the run went on without them
	RowsRead     int64
	MessagesRead int64
}

// Statement is one row of the statements table.
type Statement struct {
	Account  string
	Currency string // empty where nothing has a price
	VATRate  decimal.NullDecimal
	Charges  int64
	Unrated  int64
	Net      decimal.Decimal // Prepaid + Payable
	Prepaid  decimal.Decimal // paid by recharges
	Payable  decimal.Decimal
	VAT      decimal.Decimal
	Gross    decimal.Decimal // Payable + VAT
	Adjusted string          // the closed month whose adjustments these are; empty for the period's own charges
	Note     string          // what an invoice has to say; empty for nothing
}

// Recharge is what became of a recharge in the period.
type Recharge struct {
	Account, Currency                       string
	Opening, Bought, Used, Expired, Closing decimal.Decimal
}

// Adjustment is all adjustments of a kind of an account in one currency.
type Adjustment struct {
	Account  string
	Currency string // empty without a price
	Kind     string // reversal, replacement
	Rows     int64
	Net      decimal.Decimal
}

// SummaryRow is usage of one day. Rows of one key are added up.
type SummaryRow struct {
	Account  string
	Date     string // billing date, YYYY-MM-DD
	Market   string
	Category string
	Currency string // empty where unrated
	Status   string // charged, free, unrated
	Quantity int64
	Net      decimal.Decimal
	Cost     *Cost // of all rows or none: nil where the run has but one book
}

// Difference is one row of the differences table. The decimals are not valid
// where the table has null.
type Difference struct {
	Invoice        string
	Lines          string
	Account        string
	BusinessNumber string
	From, To       string // billing dates
	Market         string
	Category       string
	Currency       string
	Class          string
	Detail         string

	OurQuantity, TheirQuantity decimal.NullDecimal
	OurAmount, TheirAmount     decimal.NullDecimal
	Amount                     decimal.NullDecimal // theirs less ours: positive is billed too much
	QuantityEffect             decimal.NullDecimal
	PriceEffect                decimal.NullDecimal
	ArithmeticEffect           decimal.NullDecimal
	RoundingEffect             decimal.NullDecimal
}

// Count is how often something of a name occurred.
type Count struct {
	Name string
	N    int64
}

// Finding is one row of the findings table. Contact and Message are masked
// when they are shown, and so are long runs of digits in Detail.
type Finding struct {
	Kind, Account, Business, Contact, Message string
	At                                        string // UTC
	Detail                                    string
}

// Reject is one row of the rejects table.
type Reject struct {
	File   string
	Row    int64
	Reason string
	Detail string
}

// Control is one control total: an identity whose two sides were computed
// apart.
type Control struct {
	Name        string // the identity in words
	Left, Right string
	OK          bool
}

// Input is one object that the run read.
type Input struct {
	Kind     string // exports, rates, accounts …
	Key      string
	Identity string // sha256 or ETag
	Size     int64
	Rows     int64
}

// File is one file that the run published.
type File struct {
	Name   string
	SHA256 string
	Bytes  int64
	Rows   int64
}
