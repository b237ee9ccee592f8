package actuals

import (
	"fmt"
	"slices"
	"strings"
)

// The columns that are read, as FOCUS names them.
const (
	colBilled = iota
	colEffective
	colList
	colAccount
	colCurrency
	colPeriodStart
	colPeriodEnd
	colChargeStart
	colChargeEnd
	colCategory
	colClass
	colProvider
	colService
	colSubAccount
	colSubAccountName
	colResource
	colResourceName
	colResourceType
	colRegion
	colTags
	columnCount
)

// column is one of them. FOCUS has those that are not mandatory only where the
// provider knows such a thing.
type column struct {
	name      string
	mandatory bool
}

var columns = [columnCount]column{
	colBilled: {"BilledCost", true}, colEffective: {"EffectiveCost", true}, colList: {"ListCost", true},
	colAccount: {"BillingAccountId", true}, colCurrency: {"BillingCurrency", true},
	colPeriodStart: {"BillingPeriodStart", true}, colPeriodEnd: {"BillingPeriodEnd", true},
	colChargeStart: {"ChargePeriodStart", true}, colChargeEnd: {"ChargePeriodEnd", true},
	colCategory: {"ChargeCategory", true}, colClass: {"ChargeClass", true},
	colProvider: {"ProviderName", true}, colService: {"ServiceName", true},
	colSubAccount: {"SubAccountId", false}, colSubAccountName: {"SubAccountName", false},
	colResource: {"ResourceId", false}, colResourceName: {"ResourceName", false}, colResourceType: {"ResourceType", false},
	colRegion: {"RegionId", false}, colTags: {"Tags", false},
}

// versions have the columns by which a version of FOCUS is told from those
// before it, the newest first. Those that are not known here can't be read.
var versions = []struct {
	version string
	known   bool
	columns []string
}{
	{"1.3 or later", false, []string{"HostProviderName", "ServiceProviderName", "AllocatedMethodId", "AllocatedResourceId", "ContractApplied"}},
	{"1.2", true, []string{"BillingAccountType", "SubAccountType", "InvoiceId", "PricingCurrency", "PricingCurrencyContractedUnitPrice", "PricingCurrencyEffectiveCost", "PricingCurrencyListUnitPrice"}},
	{"1.1", true, []string{"CapacityReservationId", "CapacityReservationStatus", "CommitmentDiscountQuantity", "CommitmentDiscountUnit", "ServiceSubcategory", "SkuMeter", "SkuPriceDetails"}},
	{"1.0", true, []string{"ChargeClass", "ContractedCost", "ContractedUnitPrice", "RegionId", "RegionName", "CommitmentDiscountStatus", "ConsumedQuantity"}},
	{"1.0-preview", false, []string{"ChargeSubcategory", "PricingCategory", "ListCost"}},
	{"0.5", false, []string{"AmortizedCost", "ChargeType", "BilledCost"}},
}

// header says where the columns of a file are.
type header struct {
	version string
	at      [columnCount]int // -1: there is none
	width   int
}

// plain is a column's name without what databases change when they export it.
func plain(name string) string {
	return strings.ToLower(strings.ReplaceAll(strings.TrimSpace(name), "_", ""))
}

// readHeader finds the columns. The error is a sentence without the place.
func readHeader(names []string) (header, error) {
	h := header{width: len(names)}
	if len(names) > 0 {
		if strings.HasPrefix(names[0], "\xff\xfe") || strings.HasPrefix(names[0], "\xfe\xff") {
			return h, fmt.Errorf("the text is UTF-16. Save the file as UTF-8")
		}
		names[0] = strings.TrimPrefix(names[0], "\ufeff")
	}
	if len(names) == 1 && (strings.Count(names[0], ";") > 3 || strings.Count(names[0], "\t") > 3) {
		return h, fmt.Errorf("the columns are separated by semicolons or tabs. Export the file with commas")
	}
	at := map[string]int{}
	for i, name := range names {
		word := plain(name)
		if _, twice := at[word]; twice && word != "" {
			return h, fmt.Errorf("there are two columns %q. Leave one of them out of the export", name)
		}
		at[word] = i
	}
	for _, v := range versions {
		if !slices.ContainsFunc(v.columns, func(c string) bool { _, ok := at[plain(c)]; return ok }) {
			continue
		}
		if h.version = v.version; !v.known {
			return h, fmt.Errorf("the columns are those of FOCUS %s, and 1.0, 1.1 and 1.2 are read. Choose one of these where the export is set up", v.version)
		}
		break
	}
	if h.version == "" {
		return h, fmt.Errorf("the first line does not have the names of FOCUS's columns, as BilledCost and BillingPeriodStart. Is this a FOCUS export?")
	}
	var missing []string
	for i, c := range columns {
		n, ok := at[plain(c.name)]
		if !ok {
			n = -1
			if c.mandatory {
				missing = append(missing, c.name)
			}
		}
		h.at[i] = n
	}
	if len(missing) > 0 {
		return h, fmt.Errorf("FOCUS %s demands the columns %s, and the file lacks them. Add them where the export is set up", h.version, strings.Join(missing, ", "))
	}
	return h, nil
}
