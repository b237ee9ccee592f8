package prices

import (
	"regexp"
	"strings"
	"time"
)

// awsProduct is what AWS says of a thing that it sells, as far as it decides
// where its price belongs.
type awsProduct struct {
	service, family                  string
	location, locationType, region   string
	instance, tenancy, os            string
	license, software, capacity      string
	market, usage, operation, engine string
	edition, deployment, cache       string
}

// attributes names the product's fields as the JSON files do.
func (p *awsProduct) attributes() map[string]*string {
	return map[string]*string{
		"servicecode": &p.service, "location": &p.location, "locationType": &p.locationType, "regionCode": &p.region,
		"instanceType": &p.instance, "tenancy": &p.tenancy, "operatingSystem": &p.os, "licenseModel": &p.license,
		"preInstalledSw": &p.software, "capacitystatus": &p.capacity, "marketoption": &p.market, "usagetype": &p.usage,
		"operation": &p.operation, "databaseEngine": &p.engine, "databaseEdition": &p.edition,
		"deploymentOption": &p.deployment, "cacheEngine": &p.cache,
	}
}

// columns names them as the CSV files do, in lower case: their case
// has changed over time.
func (p *awsProduct) columns() map[string]*string {
	return map[string]*string{
		"servicecode": &p.service, "product family": &p.family, "location": &p.location, "location type": &p.locationType,
		"region code": &p.region, "instance type": &p.instance, "tenancy": &p.tenancy, "operating system": &p.os,
		"license model": &p.license, "pre installed s/w": &p.software, "capacitystatus": &p.capacity, "marketoption": &p.market,
		"usagetype": &p.usage, "operation": &p.operation, "database engine": &p.engine, "database edition": &p.edition,
		"deployment option": &p.deployment, "cache engine": &p.cache,
	}
}

// place is where a product's price belongs.
type place struct {
	family, service, region, sku, unit string
}

// awsPlace finds a product its place, or says why it has none.
func awsPlace(offer string, p *awsProduct) (place, string) {
	region := p.region
	if region == "" {
		region = awsLocations[p.location]
	}
	to := place{family: p.family, region: strings.ToLower(region), unit: "hour"}
	usage := awsUsageType(to.region, p.usage)
	rule, ruled := awsByUsage[awsUsage{offer, p.family, usage}]
	why := ""
	switch {
	case strings.HasPrefix(p.family, "Compute Instance") && offer == "AmazonEC2":
		to.service, to.sku, why = awsMachine(p)
	case p.family == "Dedicated Host":
		why = whyDedicated
	case p.family == "Database Instance" && offer == "AmazonRDS":
		to.service, to.sku, why = awsDatabase(p, usage)
	case p.family == "Cache Instance" && offer == "AmazonElastiCache":
		to.service, to.sku = "elasticache-"+strings.ToLower(p.cache), p.instance
		if !strings.Contains(p.usage, "NodeUsage:") || p.cache == "" || p.instance == "" {
			why = whyUnmapped // extended support and the like, which comes on top
		}
	case (p.family == "Amazon OpenSearch Service Instance" || p.family == "Elastic Search Instance") && offer == "AmazonES":
		to.service, to.sku = "opensearch", p.instance
		if old, ok := strings.CutSuffix(p.instance, ".elasticsearch"); ok {
			to.sku = old + ".search"
		}
		if !strings.Contains(p.usage, "ESInstance:") || !strings.HasSuffix(to.sku, ".search") {
			why = whyUnmapped
		}
	case ruled:
		to.service, to.sku, to.unit = rule.service, rule.sku, rule.unit
		if offer == "AmazonRDS" && p.engine != "" && p.engine != "Any" && p.engine != "PostgreSQL" && !strings.HasPrefix(p.engine, "Aurora") {
			why = whyUnmapped // another engine's, or for outposts; the estimator asks for one for all
		}
	default:
		why = whyUnmapped
	}
	switch {
	case why != "":
		return to, why
	case to.region == "", p.locationType != "AWS Region" && p.locationType != "AWS Local Zone" && p.locationType != "":
		return to, whyRegion
	}
	return to, ""
}

var awsSystems = map[string]string{"Linux": "linux", "Windows": "windows", "RHEL": "rhel", "SUSE": "suse"}

func awsMachine(p *awsProduct) (service, sku, why string) {
	system, ok := awsSystems[p.os]
	switch {
	case p.tenancy != "Shared":
		return "", "", whyDedicated
	case p.capacity != "Used" && p.capacity != "":
		return "", "", whyIdle
	case p.market != "OnDemand" && p.market != "":
		return "", "", whySpot
	case p.software != "NA" && p.software != "", strings.HasPrefix(p.license, "Bring"):
		return "", "", whySoftware
	case !ok || p.instance == "":
		return "", "", whyUnmapped
	}
	return "ec2-" + system, p.instance, ""
}

// awsEngines are the engines of databases as AWS and as Terraform name them.
// Oracle is left out: with licence and without it has two prices, and the
// estimator asks for one.
var awsEngines = map[string]string{
	"MySQL": "mysql", "PostgreSQL": "postgres", "MariaDB": "mariadb", "Aurora MySQL": "aurora-mysql", "Aurora PostgreSQL": "aurora-postgresql",
	"SQL Server/Express": "sqlserver-ex", "SQL Server/Web": "sqlserver-web", "SQL Server/Standard": "sqlserver-se", "SQL Server/Enterprise": "sqlserver-ee",
}

var awsZones = map[string]string{"Single-AZ": "single-az", "Multi-AZ": "multi-az", "Multi-AZ (SQL Server Mirror)": "multi-az"}

// awsInstanceUsage are the usage types of whole databases; those of I/O
// optimized ones, of extended support and of RDS Custom have other names.
var awsInstanceUsage = regexp.MustCompile(`^(InstanceUsage|Multi-AZUsage|MirrorUsage):`)

func awsDatabase(p *awsProduct, usage string) (service, sku, why string) {
	name := p.engine
	if name == "SQL Server" {
		name += "/" + p.edition
	}
	engine, ok := awsEngines[name]
	zone, zoned := awsZones[p.deployment]
	switch {
	case strings.HasPrefix(p.license, "Bring"):
		return "", "", whySoftware
	case !ok || !zoned || p.instance == "" || !awsInstanceUsage.MatchString(usage):
		return "", "", whyUnmapped
	}
	return "rds-" + engine, p.instance + "/" + zone, ""
}

// awsTerm is one price of a product.
type awsTerm struct {
	begin, unit, usd, since string
	inDollars               bool
}

// offerName keeps an offer's name for what it is, whatever a file calls itself.
var offerName = regexp.MustCompile(`^[A-Za-z0-9]{1,60}$`)

// awsTake takes a product's price.
func (s *sink) awsTake(offer string, to place, t awsTerm, now time.Time) error {
	since := day(t.since)
	switch {
	case !t.inDollars:
		s.leave(whyCurrency, to.family)
		return nil
	case t.begin != "" && t.begin != "0":
		s.leave(whyTier, to.family)
		return nil
	case since > now.UTC().Format(time.DateOnly):
		s.leave(whyFuture, to.family)
		return nil
	}
	factor, ok := awsUnit(t.unit, to.unit)
	if !ok {
		s.leave(whyUnit, to.family+" ("+t.unit+")")
		return nil
	}
	return s.take(taking{offer: offer, family: to.family, service: to.service, region: to.region, sku: to.sku,
		amount: t.usd, unit: to.unit, factor: factor, since: since})
}

// day cuts a time to its day, "" where it is none.
func day(text string) string {
	if len(text) < len(time.DateOnly) {
		return ""
	}
	if _, err := time.Parse(time.DateOnly, text[:len(time.DateOnly)]); err != nil {
		return ""
	}
	return text[:len(time.DateOnly)]
}
