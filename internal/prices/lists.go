package prices

import (
	"cmp"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/tidelock/tidelock/internal/egress"
	"github.com/tidelock/tidelock/internal/errs"
)

// The vendors' own addresses.
const (
	awsHost   = "https://pricing.us-east-1.amazonaws.com"
	azureHost = "https://prices.azure.com"
	gcpHost   = "https://cloudbilling.googleapis.com"
)

// awsOffers are the offers that have anything for the catalogue.
var awsOffers = []string{"AmazonEC2", "AWSELB", "AmazonVPC", "AmazonRDS", "AmazonElastiCache", "AmazonES", "AmazonEKS", "AmazonCloudWatch"}

// azureServices are the services that have anything for the catalogue.
var azureServices = func() []string {
	all := []string{"Virtual Machines"}
	for _, r := range azureRules {
		if !slices.Contains(all, r.service) {
			all = append(all, r.service)
		}
	}
	return all
}()

// googleServices are Google's IDs of the services that have anything for the
// catalogue.
var googleServices = []struct{ name, id string }{
	{computeEngine, "6F81-5844-456A"}, {cloudSQL, "9662-B51E-5089"}, {cloudStorage, "95FF-2EF5-5EA1"}, {redisStore, "5AF5-2C11-D467"},
}

// Offers returns the vendor's services that the importer knows a place for.
func Offers(cloud string) []string {
	switch cloud {
	case AWS:
		return slices.Clone(awsOffers)
	case Azure:
		return slices.Clone(azureServices)
	case GCP:
		var names []string
		for _, s := range googleServices {
			names = append(names, s.name)
		}
		return names
	}
	return nil
}

var regionName = regexp.MustCompile(`^[a-z0-9-]{2,40}$`)

// CheckCurrency says what is wrong with a currency of a cloud's price list.
func CheckCurrency(cloud, currency string) error {
	switch {
	case currency == "" || currency == dollars:
		return nil
	case !IsCurrency(currency):
		return errs.New(errs.Invalid, "%q is no currency: those are three capital letters, such as EUR.", currency)
	case cloud != Azure:
		return errs.New(errs.Invalid, "The price list of %s is in USD. Only Azure sets prices in other currencies; a rate turns the others (tidelock prices rate set).", cloud)
	}
	return nil
}

// Query is which of a cloud's price lists are wanted.
type Query struct {
	Cloud string
	// Base is where the lists are instead of at the vendor's own host, such as
	// https://mirror.example.com/aws; "" for the vendor's.
	Base     string
	Offers   []string // of the vendor's services; none: all that the importer knows
	Regions  []string // none: all; AWS has a list for each region, so it needs their names
	Currency string   // "" is USD; only Azure has others
}

// Lists returns the price lists that a query asks for.
func Lists(q Query) ([]List, error) {
	if err := CheckCurrency(q.Cloud, q.Currency); err != nil {
		return nil, err
	}
	regions := slices.Clone(q.Regions)
	for i, r := range regions {
		if regions[i] = strings.ToLower(r); !regionName.MatchString(regions[i]) {
			return nil, errs.New(errs.Invalid, "%q is no name of a region.", r)
		}
	}
	if q.Base != "" {
		if u, err := url.Parse(q.Base); err != nil || u.Host == "" || u.RawQuery != "" || u.User != nil || u.Scheme != "https" && !(u.Scheme == "http" && egress.Loopback(u.Hostname())) {
			return nil, errs.New(errs.Invalid, "The address of the price lists must begin with https://, and have a host and no query.")
		}
	}
	chosen, err := chooseOffers(q)
	if err != nil {
		return nil, err
	}
	if q.Cloud == AWS && len(regions) == 0 {
		return nil, errs.New(errs.Invalid, "Name the regions with --region: AWS has a price list for each.")
	}
	if len(regions) == 0 || q.Cloud == GCP { // Google's lists have all regions
		regions = []string{""}
	}
	var lists []List
	for _, offer := range chosen {
		for _, r := range regions {
			lists = append(lists, q.list(offer, r))
		}
	}
	return lists, nil
}

func chooseOffers(q Query) ([]string, error) {
	known := Offers(q.Cloud)
	if len(q.Offers) == 0 {
		return known, nil
	}
	var chosen []string
	for _, o := range q.Offers {
		i := slices.IndexFunc(known, func(k string) bool { return strings.EqualFold(k, o) })
		if i < 0 {
			return nil, errs.New(errs.Invalid, "The catalogue has no place for the service %q. It has one for %s.", o, strings.Join(known, ", "))
		}
		chosen = append(chosen, known[i])
	}
	return chosen, nil
}

// list is the list of one service, in one region where that is not "".
func (q Query) list(offer, region string) List {
	currency := cmp.Or(q.Currency, dollars)
	l := List{Cloud: q.Cloud, Whole: true, Offer: offer, Region: region, Currency: currency}
	base := func(host string) string { return strings.TrimSuffix(cmp.Or(q.Base, host), "/") }
	switch q.Cloud {
	case AWS:
		l.URL = fmt.Sprintf("%s/offers/v1.0/aws/%s/current/%s/index.json", base(awsHost), offer, region)
	case Azure:
		filter := fmt.Sprintf("priceType eq 'Consumption' and serviceName eq '%s'", offer)
		if region != "" {
			filter += fmt.Sprintf(" and armRegionName eq '%s'", region)
		}
		l.URL = base(azureHost) + "/api/retail/prices?" + url.Values{"api-version": {"2023-01-01-preview"}, "currencyCode": {currency}, "$filter": {filter}}.Encode()
	case GCP:
		for _, s := range googleServices {
			if s.name == offer {
				l.URL = fmt.Sprintf("%s/v1/services/%s/skus?currencyCode=USD&pageSize=5000", base(gcpHost), s.id)
			}
		}
	}
	return l
}
