package bench

import (
	"fmt"
	"strings"
)

// accountNumbers is how many business numbers an account has.
const accountNumbers = 4

func accountName(business int) string { return fmt.Sprintf("waba-%d", business/accountNumbers) }

// accountsCSV is the accounts file.
func accountsCSV() string {
	var b strings.Builder
	b.WriteString("account_id,name,plan,rules,basis,time_zone,vat_rate,portfolio,valid_from,valid_to\n")
	for business := 0; business < businesses; business += accountNumbers {
		name := accountName(business)
		fmt.Fprintf(&b, "%s,%s,list,conversation,sent,Europe/Rome,0.22,,,\n", name, name)
	}
	return b.String()
}

// ratesCSV is the rates file: a price for each category in the markets of the
// contacts and in all others. The prices are made up.
func ratesCSV() string {
	var b strings.Builder
	b.WriteString("plan,market,category,unit,price,currency,valid_from,valid_to\n")
	for m, market := range []string{"*", "IT", "DE", "BR", "IN", "US", "ES"} {
		for c, category := range []string{"marketing", "utility", "authentication", "service"} {
			fmt.Fprintf(&b, "list,%s,%s,conversation,0.%02d%02d,EUR,2024-01-01,\n", market, category, 5+m, 10*c)
		}
	}
	return b.String()
}
