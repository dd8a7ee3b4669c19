package writer

import (
	"bytes"
	"fmt"
	"io"
	"testing"

	"github.com/apache/arrow/go/v17/parquet/file"
	"github.com/google/go-cmp/cmp"
)

// Users of DuckDB, Spark and pandas read the tables as they lie, by what the
// footers say of their columns: every name, order, physical and logical type.
func TestPublishedTypes(t *testing.T) {
	t.Parallel()
	const (
		text    = "BYTE_ARRAY String"
		money   = "INT64 Decimal(precision=18, scale=6)"
		wide    = "FIXED_LEN_BYTE_ARRAY Decimal(precision=38, scale=6)"
		instant = "INT64 Timestamp(isAdjustedToUTC=true, timeUnit=milliseconds, is_from_converted_type=false, force_set_converted_type=false)"
	)
	want := map[string][]string{
		ChargesTable: {
			"required charge_id " + text, "required account_id " + text, "required business_number " + text, "required contact " + text,
			"optional country " + text, "optional market " + text, "required unit " + text, "required category " + text,
			"required rules " + text, "required opened_at " + instant, "optional expires_at " + instant, "required billing_date INT32 Date",
			"required opened_by " + text, "required messages_out INT32 None", "required messages_in INT32 None", "optional plan " + text,
			"optional unit_price " + money, "optional currency " + text, "optional amount " + money, "required status " + text,
			"optional reason " + text, "optional recharge_id " + text, "required certainty " + text,
		},
		SummaryTable: {
			"required account_id " + text, "required billing_date INT32 Date", "optional country " + text, "optional market " + text,
			"required category " + text, "required unit " + text, "optional plan " + text, "optional unit_price " + money,
			"optional currency " + text, "required status " + text, "required quantity INT64 None", "optional net_amount " + wide,
		},
		RejectsTable: {"required file " + text, "required row INT64 None", "required reason " + text, "optional detail " + text},
	}
	for name, schema := range map[string]Schema{ChargesTable: ChargesSchema(), SummaryTable: SummarySchema(), RejectsTable: RejectsSchema()} {
		s := newFakeStore()
		if _, err := WriteParquet(t.Context(), s, "table.parquet", schema, func(func(Frame, error) bool) {}); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want[name], footerTypes(t, s.objects["table.parquet"])); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// footerTypes says what a file's footer says of its columns.
func footerTypes(t *testing.T, data []byte) []string {
	t.Helper()
	r, err := file.NewParquetReader(io.NewSectionReader(bytes.NewReader(data), 0, int64(len(data))))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var lines []string
	for i := range r.MetaData().Schema.NumColumns() {
		c := r.MetaData().Schema.Column(i)
		repetition := "required"
		if c.MaxDefinitionLevel() > 0 {
			repetition = "optional"
		}
		lines = append(lines, fmt.Sprintf("%s %s %s %s", repetition, c.Name(), c.PhysicalType(), c.LogicalType()))
	}
	return lines
}
