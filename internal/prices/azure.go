package prices

import (
	"io"
	"regexp"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/tidelock/tidelock/internal/cost/pricebook"
)

// azureItem is one item of an answer of the Retail Prices API, as far as it
// decides where its price belongs.
type azureItem struct {
	currency, tier, price, region, since string
	meter, product, sku, armSKU, service string
	unit, kind, term                     string
}

func (a *azureItem) fields() map[string]*string {
	return map[string]*string{
		"currencyCode": &a.currency, "tierMinimumUnits": &a.tier, "retailPrice": &a.price, "armRegionName": &a.region,
		"effectiveStartDate": &a.since, "meterName": &a.meter, "productName": &a.product, "skuName": &a.sku, "armSkuName": &a.armSKU,
		"serviceName": &a.service, "unitOfMeasure": &a.unit, "type": &a.kind, "reservationTerm": &a.term,
	}
}

// readAzure reads one page and returns where the next one is, "" for the last.
func readAzure(r io.Reader, s *sink, now time.Time) (next string, err error) {
	j := newJSONReader(r)
	var a azureItem
	fields := a.fields()
	return j.page("Items", "NextPageLink", "Azure's Retail Prices API", func() error {
		if err := j.fields(fields); err != nil {
			return err
		}
		s.see()
		if err := s.azureTake(&a, now); err != nil {
			return j.bad("%v", err)
		}
		return nil
	})
}

// azureUnits turn Azure's units into the catalogue's.
var azureUnits = map[string]string{
	"1 hour": "hour", "1/hour": "hour", "1/month": "month", "1 month": "month", "1/day": "day", "1 day": "day",
	"1 gb/month": "GB-month", "1 gib/month": "GB-month", "1 gb": "GB", "1/gb": "GB",
}

func (s *sink) azureTake(a *azureItem, now time.Time) error {
	family := a.service
	switch {
	case a.currency != s.money:
		s.leave(whyCurrency, family)
		return nil
	case a.kind == "Reservation" || a.term != "":
		s.leave(whyReserved, family)
		return nil
	case a.kind == "DevTestConsumption":
		s.leave(whyDevTest, family)
		return nil
	case a.kind == "SavingsPlan":
		s.leave(whySavings, family)
		return nil
	case a.kind != "Consumption":
		s.leave(whyUnmapped, family)
		return nil
	}
	for _, name := range []string{a.sku, a.meter} {
		if strings.HasSuffix(name, " Spot") || strings.HasSuffix(name, " Low Priority") {
			s.leave(whySpot, family)
			return nil
		}
	}
	if strings.Contains(a.product, "Dedicated Host") {
		s.leave(whyDedicated, family)
		return nil
	}
	service, sku, unit := azurePlace(a)
	if service == "" {
		s.leave(whyUnmapped, family)
		return nil
	}
	if d, err := decimal.NewFromString(a.tier); a.tier != "" && (err != nil || !d.IsZero()) {
		s.leave(whyTier, family)
		return nil
	}
	since := day(a.since)
	if since > now.UTC().Format(time.DateOnly) {
		s.leave(whyFuture, family)
		return nil
	}
	if azureUnits[strings.ToLower(a.unit)] != unit {
		s.leave(whyUnit, family+" ("+a.unit+")")
		return nil
	}
	region := strings.ToLower(a.region)
	if region == "" || region == "global" {
		region = pricebook.Global
	}
	return s.take(taking{offer: a.service, family: family, service: service, region: region, sku: sku, amount: a.price, unit: unit, since: since})
}

// azureRule finds the items of one product their place. Its patterns must fit
// wholly; $1 in sku is what the group of meter or name found, in lower case and
// without spaces.
type azureRule struct {
	service, product string // the product is a pattern
	meter            string // pattern
	to, sku, unit    string
	match            *regexp.Regexp // made of product and meter
}

var azureRules = func() []azureRule {
	rules := []azureRule{
		{"Storage", `Premium SSD Managed Disks`, `(P\d{1,2}) (LRS|ZRS) Disk`, "disk", "$1/$2", "month", nil},
		{"Storage", `Standard SSD Managed Disks`, `(E\d{1,2}) (LRS|ZRS) Disk`, "disk", "$1/$2", "month", nil},
		{"Storage", `Standard HDD Managed Disks`, `(S\d{1,2}) (LRS|ZRS) Disk`, "disk", "$1/$2", "month", nil},
		{"Virtual Network", `IP Addresses`, `Standard IPv4 Static Public IP`, "network", "ip-static-regional", "hour", nil},
		{"Virtual Network", `IP Addresses`, `Basic IPv4 Dynamic Public IP`, "network", "ip-dynamic-regional", "hour", nil},
		{"Virtual Network", `Virtual Network Private Link`, `Standard Private Endpoint`, "network", "private-endpoint", "hour", nil},
		{"NAT Gateway", `NAT Gateway`, `Standard Gateway`, "network", "nat-gateway", "hour", nil},
		{"NAT Gateway", `NAT Gateway`, `Standard Data Processed`, "network", "nat-gateway-data", "GB", nil},
		{"Azure Firewall", `Azure Firewall`, `(Standard|Premium|Basic) Deployment`, "network", "firewall-$1", "hour", nil},
		{"Azure Firewall", `Azure Firewall`, `Standard Data Processed`, "network", "firewall-data", "GB", nil},
		{"VPN Gateway", `VPN Gateway`, `(VpnGw[1-5](?:AZ)?)`, "network", "vpn-gateway-$1", "hour", nil},
		{"Azure Kubernetes Service", `Azure Kubernetes Service`, `Standard Uptime SLA`, "aks", "cluster-standard", "hour", nil},
		{"Container Registry", `Container Registry`, `(Basic|Standard|Premium) Registry Unit`, "container-registry", "$1", "day", nil},
		{"Azure App Service", `Azure App Service (?:Basic|Standard|Premium|Premium v2|Premium v3) Plan - Linux`, `([BSP]\d(?: ?m?v\d)?)(?: App)?`, "app-service", "linux/$1", "hour", nil},
		{"Azure App Service", `Azure App Service (?:Basic|Standard|Premium|Premium v2|Premium v3) Plan`, `([BSP]\d(?: ?m?v\d)?)(?: App)?`, "app-service", "windows/$1", "hour", nil},
		{"Azure Database for PostgreSQL", `Azure Database for PostgreSQL Flexible Server Burstable BS Series Compute`, `(B\d{1,2}m?s)`, "postgresql-flexible", "b_standard_$1", "hour", nil},
		{"Azure Database for PostgreSQL", `Az DB for PostgreSQL Flexible Server Storage`, `Storage Data Stored`, "postgresql-flexible", "storage", "GB-month", nil},
		{"Azure Database for MySQL", `Azure Database for MySQL Flexible Server Burstable BS Series Compute`, `(B\d{1,2}m?s)`, "mysql-flexible", "b_standard_$1", "hour", nil},
		{"Azure Database for MySQL", `Azure Database for MySQL Flexible Server Storage`, `Storage Data Stored`, "mysql-flexible", "storage", "GB-month", nil},
		// A cache of the tiers Standard and Premium has two nodes or more; the
		// meter of an instance is that of one.
		{"Redis Cache", `Azure Redis Cache (Basic|Standard|Premium)`, `([CP]\d) Cache Instance`, "redis", "$1_$2", "hour", nil},
		{"Redis Cache", `Azure Redis Cache (Basic)`, `([C]\d) Cache`, "redis", "$1_$2", "hour", nil},
	}
	for i, r := range rules {
		rules[i].match = regexp.MustCompile(`(?i)^` + r.product + "\n" + r.meter + `$`)
	}
	return rules
}()

// azureMachine are the names of sizes as Azure's own interfaces have them.
var azureMachine = regexp.MustCompile(`^(Standard|Basic)_[A-Za-z0-9_-]{1,60}$`)

func azurePlace(a *azureItem) (service, sku, unit string) {
	if a.service == "Virtual Machines" {
		if !azureMachine.MatchString(a.armSKU) || strings.HasSuffix(a.product, "CloudServices") || strings.HasSuffix(a.product, "Cloud Services") {
			return "", "", ""
		}
		if strings.HasSuffix(a.product, " Windows") {
			return "vm-windows", strings.ToLower(a.armSKU), "hour"
		}
		if strings.Contains(a.product, "Windows") {
			return "", "", ""
		}
		return "vm-linux", strings.ToLower(a.armSKU), "hour"
	}
	for _, r := range azureRules {
		if r.service != a.service {
			continue
		}
		if m := r.match.FindStringSubmatchIndex(a.product + "\n" + a.meter); m != nil {
			sku := r.match.ExpandString(nil, strings.NewReplacer("$1", "${1}", "$2", "${2}").Replace(r.sku), a.product+"\n"+a.meter, m)
			return r.to, strings.ToLower(strings.ReplaceAll(string(sku), " ", "")), r.unit
		}
	}
	return "", "", ""
}
