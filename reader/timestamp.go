package reader

import (
	"encoding/binary"
	"math"

	"github.com/apache/arrow/go/v17/parquet"
	"github.com/apache/arrow/go/v17/parquet/schema"

	"waconcile/reconcile"
)

// timeUnit says how a stored timestamp becomes milliseconds.
type timeUnit uint8

const (
	unitMillis timeUnit = iota
	unitMicros
	unitNanos
	unitInt96 // nanoseconds of the day, then the Julian day
)

const (
	microsPerMilli = 1_000
	nanosPerMilli  = 1_000_000
	julianEpoch    = 2_440_588 // the Julian day of 1970-01-01
)

// timestampUnit is the unit of a column of timestamps. Those that are not
// adjusted to UTC are read as if they were.
func timestampUnit(c *schema.Column) (timeUnit, bool) {
	switch c.PhysicalType() {
	case parquet.Types.Int96:
		return unitInt96, true
	case parquet.Types.Int64:
	default:
		return 0, false
	}
	if l, ok := c.LogicalType().(*schema.TimestampLogicalType); ok {
		switch l.TimeUnit() {
		case schema.TimeUnitMillis:
			return unitMillis, true
		case schema.TimeUnitMicros:
			return unitMicros, true
		case schema.TimeUnitNanos:
			return unitNanos, true
		}
		return 0, false
	}
	switch c.ConvertedType() {
	case schema.ConvertedTypes.TimestampMillis:
		return unitMillis, true
	case schema.ConvertedTypes.TimestampMicros:
		return unitMicros, true
	}
	return 0, false
}

// millis floors a stored INT64 to milliseconds. It never gives
// reconcile.NoTime, which stands for null.
func (u timeUnit) millis(v int64) int64 {
	switch u {
	case unitMicros:
		return floorDiv(v, microsPerMilli)
	case unitNanos:
		return floorDiv(v, nanosPerMilli)
	}
	return max(v, math.MinInt64+1)
}

// int96Millis floors a stored INT96 to milliseconds. It cannot overflow: a
// day has 32 bits, and any count of nanoseconds is less than 300 years.
func int96Millis(v *parquet.Int96) int64 {
	nanos := int64(binary.LittleEndian.Uint64(v[:8]))
	day := int64(binary.LittleEndian.Uint32(v[8:]))
	return (day-julianEpoch)*reconcile.DayMillis + floorDiv(nanos, nanosPerMilli)
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}
