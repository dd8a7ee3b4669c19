// Package reader decodes what a run is given: the message exports, and the
// smaller inputs rates, accounts, markets, exchange rates and invoices, which
// are CSV files (invoices may be Parquet) and are read whole.
//
// # Exports
//
// An export is a Parquet file with one message a row. The columns that bear
// on a conversation are decoded, found by their exact names or by those that
// ExportOptions.Columns gives them; all others are left alone, and their order
// is free:
//
//	message_id account_id business_number contact   text, required
//	direction type                                  text, required
//	sent_at                                         timestamp, required
//	category status contact_country                 text, null where the file lacks them
//	delivered_at read_at                            timestamp, likewise
//
// A text is a BYTE_ARRAY annotated as string, enumeration or not at all. A
// timestamp is an INT64 of milli-, micro- or nanoseconds or an INT96; it is
// floored to milliseconds, and read as UTC whether it says so or not. Columns
// are top-level and not repeated; they may be nullable or not, compressed with
// snappy, gzip, zstd, brotli or not at all, in data pages of either version,
// and encoded plain, with a dictionary, or as deltas.
//
// Exports.Scan streams a file: it holds a page and a read-ahead buffer of each
// column that it decodes, and one block of rows, whatever the size of the file
// or of its row groups. Rows are normalised on the way (see reconcile.Rows).
// A row that cannot be used becomes a reconcile.Reject, so that the rows of a
// block and its rejects together are the rows read.
//
// A block belongs to Scan: whoever is handed one may read it until the
// callback returns, and copies what it keeps. A Names is shared by all that
// decode in one run; its handles stay good for as long as it lives.
//
// # What stops a scan
//
// A row is never a reason to stop. A file is refused, with a *FileError that
// matches ErrData and names file, column and row where it can, if it is not
// Parquet or cut short, lacks a required column or has one in a type that
// cannot be read, if anything in it is damaged, or if a row was sent before
// the time that the statistics of its row group give as the earliest: which
// files and row groups are read at all is decided by these. Blocks that were
// handed out before must then not be used. The decoders of the library loop
// or panic on some damaged pages, and so every page is checked for all that
// they rely on before they get it, and a panic is an error of the file.
//
// Errors of the store come through as they are and match ErrStore, or
// ErrChanged where the object is not what was listed any more; a change that
// is noticed when the file is closed takes the place of any other error. The
// CSV inputs are refused with errors that match ErrInput.
package reader
