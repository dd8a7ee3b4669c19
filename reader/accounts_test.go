package reader_test

import (
	"testing"

	"waconcile/reader"
	"waconcile/reconcile"
)

const accountsHeader = "account_id,name,plan,rules,basis,time_zone,vat_rate,portfolio,valid_from,valid_to\n"

func TestReadAccounts(t *testing.T) {
	t.Parallel()
	accounts, read, err := reader.ReadAccounts(t.Context(), files(map[string]string{
		"a.csv": accountsHeader +
			"acme,Acme S.p.A.,p1,conversation,,Europe/Rome,0.22,group,,2024-07-01\n" +
			"acme,Acme S.p.A.,p2,Conversation,sent,Europe/Rome,0,,2024-07-01,\n",
		"b.csv": "plan,account_id\np3,*\n",
	}))
	if err != nil {
		t.Fatal(err)
	}
	if len(read) != 2 {
		t.Errorf("files read are %+v", read)
	}
	acme := accounts.Of("acme")
	june, july := acme.On(mustDate(t, "2024-06-30")), acme.On(mustDate(t, "2024-07-01"))
	if june == nil || july == nil || june.Plan != "p1" || july.Plan != "p2" || acme.Zone.Name() != "Europe/Rome" {
		t.Fatalf("acme is %+v, then %+v", june, july)
	}
	if june.Where != "a.csv:2" || june.Name != "Acme S.p.A." || june.Portfolio != "group" || june.VATRate.String() != "0.22" || july.VATRate.String() != "0" {
		t.Errorf("acme is %+v", june)
	}
	other := accounts.Of("other")
	if r := other.On(0); r == nil || r.Plan != "p3" || r.VATRate != nil || other.Zone.Name() != "UTC" || other.Basis != reconcile.BasisSent {
		t.Errorf("any other account is %+v", r)
	}
}

func TestAccountsRefused(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, rows, want string }{
		{"no id", ",,p,,,,,,,\n", "a.csv:2 column account_id: value is missing"},
		{"no plan", "acme,,,,,,,,,\n", "a.csv:2 column plan: value is missing"},
		{"rules of a later build", "acme,,p,meta,,,,,,\n", "a.csv:2 column rules: rules meta are not known to this build"},
		{"rules of nobody", "acme,,p,message,,,,,,\n", `a.csv:2 column rules: "message" are no rules: conversation or meta`},
		{"bad basis", "acme,,p,,read,,,,,\n", `a.csv:2 column basis: "read" is no basis: sent or delivered`},
		{"bad zone", "acme,,p,,,Europe/Roma,,,,\n", `a.csv:2 column time_zone: "Europe/Roma" is no time zone: unknown time zone Europe/Roma`},
		{"zone of the machine", "acme,,p,,,Local,,,,\n", `a.csv:2 column time_zone: "Local" is not one time zone`},
		{"zone outside", "acme,,p,,,../../etc/passwd,,,,\n", `a.csv:2 column time_zone: "../../etc/passwd" is no time zone: time: invalid location name`},
		{"VAT in percent", "acme,,p,,,,22,,,\n", "a.csv:2 column vat_rate: 22 is no fraction from 0 to below 1, such as 0.22"},
		{"VAT of one", "acme,,p,,,,1,,,\n", "a.csv:2 column vat_rate: 1 is no fraction from 0 to below 1, such as 0.22"},
		{"negative VAT", "acme,,p,,,,-0.1,,,\n", "a.csv:2 column vat_rate: -0.1 is no fraction from 0 to below 1, such as 0.22"},
		{"VAT with a sign", "acme,,p,,,,22%,,,\n", `a.csv:2 column vat_rate: "22%" is no plain decimal number`},
		{"VAT with seven decimals", "acme,,p,,,,0.2200001,,,\n", `a.csv:2 column vat_rate: "0.2200001" has more than 6 decimals`},
		{"bad date", "acme,,p,,,,,,2024,\n", `a.csv:2 column valid_from: "2024" is no date of the form YYYY-MM-DD`},
		{"ends before it begins", "acme,,p,,,,,,2024-02-01,2024-01-01\n", "a.csv:2 column valid_to: 2024-01-01 is not after valid_from 2024-02-01"},
		{"overlap", "acme,,p,,,,,,2024-02-01,\n\nacme,,p,,,,,,,2024-02-02\n",
			`a.csv:4: overlaps a.csv:2: account "acme" is valid [the beginning, 2024-02-02) here and [2024-02-01, open) there`},
		{"two zones", "acme,,p,,,,,,2024-02-01,\nacme,,p,,,Asia/Tokyo,,,,2024-02-01\n",
			`a.csv:3: disagrees with a.csv:2: time_zone of account "acme" is Asia/Tokyo here and UTC there`},
		{"two bases", "acme,,p,,,,,,2024-02-01,\nacme,,p,,delivered,,,,,2024-02-01\n",
			`a.csv:3: disagrees with a.csv:2: basis of account "acme" is delivered here and sent there`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, _, err := reader.ReadAccounts(t.Context(), files(map[string]string{"a.csv": accountsHeader + c.rows}))
			wantRefused(t, err, c.want)
		})
	}
	_, _, err := reader.ReadAccounts(t.Context(), files(map[string]string{"a.csv": "account_id,time_zone\n"}))
	wantRefused(t, err, "a.csv:1: header lacks column plan")
}
