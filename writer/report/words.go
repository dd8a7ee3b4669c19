package report

// classMeaning says what a class of difference means to who reads an invoice.
func classMeaning(class string) string {
	switch class {
	case "match":
		return "the line is right"
	case "quantity":
		return "another number of conversations than the messages give"
	case "price":
		return "another unit price than the rate card's"
	case "quantity_and_price":
		return "neither number nor unit price is right"
	case "arithmetic":
		return "quantity times unit price is not the amount"
	case "rounding":
		return "no more than rounding explains"
	case "missing_ours":
		return "billed, and no message explains it"
	case "missing_theirs":
		return "charges that no line of the invoice covers"
	case "currency":
		return "billed in another currency than agreed"
	case "unrated":
		return "a charge of the line has no price in the rate card"
	case "no_data":
		return "there are no exports for days of the line"
	case "credit":
		return "a credit for something that is not billed"
	case "outside_period":
		return "the line lies outside the period and was not compared"
	}
	return ""
}

// findingMeaning says what a kind of finding means.
func findingMeaning(kind string) string {
	switch kind {
	case "outside_window":
		return "free-form message sent while the customer service window was closed"
	case "bad_delivery_time":
		return "delivered or read before it was sent, or much too late; the time was ignored"
	case "conflicting_duplicate":
		return "rows of one message that tell different things about it"
	case "late":
		return "messages that came into the exports too late for this run"
	case "no_credit":
		return "no recharge could pay for the charge"
	case "expires_soon":
		return "a recharge that will expire before it is used up"
	case "runs_out":
		return "an account whose recharges will soon be used up at this pace"
	}
	return ""
}

// rejectMeaning says what a reason of rejection means.
func rejectMeaning(reason string) string {
	switch reason {
	case "missing_value":
		return "a required value is missing"
	case "bad_direction":
		return "neither inbound nor outbound"
	case "bad_status":
		return "an unknown status"
	case "bad_category":
		return "a template without a known category"
	case "bad_timestamp":
		return "sent at a time that cannot be"
	}
	return ""
}
