package cost

import (
	"strings"

	"github.com/shopspring/decimal"
)

func awsLambda(s *side) {
	requests, ok := s.amount("monthly_requests")
	if !ok {
		s.byUse("requests")
		s.byUse("duration")
		return
	}
	s.used(meter{name: "Requests", service: "lambda", sku: "requests"}, requests)
	ms, ok := s.amount("request_duration_ms")
	if !ok {
		s.byUse("duration")
		return
	}
	memory, st := s.num("memory_size")
	if st != known {
		memory = whole(128)
		s.assume("128 MB of memory")
	}
	seconds := requests.Mul(ms).Div(whole(1000))
	m := meter{name: "Duration", service: "lambda", tiers: []tier{{"6000000000", "duration-x86"}, {"15000000000", "duration-x86-2"}, {"", "duration-x86-3"}}}
	if arch, _, _ := s.first("architectures"); arch == "arm64" {
		m.tiers = []tier{{"7500000000", "duration-arm"}, {"18750000000", "duration-arm-2"}, {"", "duration-arm-3"}}
	}
	s.used(m, seconds.Mul(memory).Div(whole(1024)))
	if disk, st := s.block("ephemeral_storage"); st == known {
		if size, _ := disk.num("size"); size.GreaterThan(whole(512)) {
			s.used(meter{name: "Ephemeral storage beyond 512 MB", service: "lambda", sku: "ephemeral-storage"}, seconds.Mul(size.Sub(whole(512))).Div(whole(1024)))
		}
	}
}

func awsSNSTopic(s *side) {
	requests, ok := s.amount("monthly_requests")
	if !ok {
		s.byUse("requests")
		s.byUse("notifications")
		return
	}
	requests = s.chunks("request_size_kb", 64, requests)
	if s.truth("fifo_topic") {
		s.used(meter{name: "Requests", service: "sns", sku: "fifo-requests"}, requests)
		return
	}
	s.used(meter{name: "Requests beyond a million", service: "sns", tiers: []tier{{"1000000", ""}, {"", "requests"}}}, requests)
	for _, k := range []struct {
		key, name string
		tiers     []tier
	}{
		{"http_subscriptions", "HTTP notifications", []tier{{"100000", ""}, {"", "http"}}},
		{"email_subscriptions", "Mail notifications", []tier{{"1000", ""}, {"", "email"}}},
		{"kinesis_subscriptions", "Firehose notifications", []tier{{"", "firehose"}}},
		{"mobile_push_subscriptions", "Mobile push notifications", []tier{{"1000000", ""}, {"", "mobile"}}},
		{"macos_subscriptions", "macOS notifications", []tier{{"1000000", ""}, {"", "macos"}}},
		{"sms_subscriptions", "SMS notifications", []tier{{"100", ""}, {"", "sms"}}},
	} {
		if n, ok := s.amount(k.key); ok {
			s.used(meter{name: k.name, service: "sns", tiers: k.tiers}, requests.Mul(n))
		}
	}
}

func awsSQSQueue(s *side) {
	requests, ok := s.amount("monthly_requests")
	if !ok {
		s.byUse("requests")
		return
	}
	sku := "standard"
	if s.truth("fifo_queue") {
		sku = "fifo"
	}
	s.used(meter{name: "Requests", service: "sqs", sku: sku}, s.chunks("request_size_kb", 64, requests))
}

func awsAPIGatewayV2(s *side) {
	if s.is("protocol_type", "WEBSOCKET") {
		if n, ok := s.amount("monthly_messages"); ok {
			s.used(meter{name: "Messages", service: "apigateway", tiers: []tier{{"1000000000", "messages"}, {"", "messages-2"}}}, s.chunks("message_size_kb", 32, n))
		} else {
			s.byUse("messages")
		}
		s.meters(meter{key: "monthly_connection_mins", name: "Connection time", service: "apigateway", sku: "connection"})
		return
	}
	n, ok := s.amount("monthly_requests")
	if !ok {
		s.byUse("requests")
		return
	}
	s.used(meter{name: "Requests", service: "apigateway", tiers: []tier{{"300000000", "http"}, {"", "http-2"}}}, s.chunks("request_size_kb", 512, n))
}

func awsAPIGatewayStage(s *side) {
	if !s.truth("cache_cluster_enabled") {
		return // free
	}
	if size, ok := s.need(s.view, "cache_cluster_size"); ok {
		s.charge("Cache", size+" GB", "apigateway", "cache-"+size, one())
	}
}

func awsDynamoDB(s *side) {
	replicas, st := s.blocks("replica")
	if st == unknown {
		s.notKnown("replica")
	}
	if s.is("billing_mode", "PAY_PER_REQUEST") {
		s.meters(
			meter{key: "monthly_write_request_units", name: "Write requests", service: "dynamodb", sku: "write-request"},
			meter{key: "monthly_read_request_units", name: "Read requests", service: "dynamodb", sku: "read-request"},
		)
		if len(replicas) > 0 {
			s.byUse("requests in the replicas' regions")
		}
	} else {
		read, okRead := s.needNum(s.view, "read_capacity")
		write, okWrite := s.needNum(s.view, "write_capacity")
		indexes, _ := s.blocks("global_secondary_index")
		for _, i := range indexes {
			r, rst := i.num("read_capacity")
			w, wst := i.num("write_capacity")
			if rst == unknown || wst == unknown {
				s.notKnown("capacity of an index")
			}
			read, write = read.Add(r), write.Add(w)
		}
		if okRead {
			s.charge("Read capacity", "provisioned, indexes too", "dynamodb", "rcu", read)
		}
		if okWrite {
			s.charge("Write capacity", "provisioned, indexes too", "dynamodb", "wcu", write)
			for _, r := range replicas {
				region, st := r.str("region_name")
				if st != known {
					s.notKnown("region_name of a replica")
					continue
				}
				s.inRegion(region, func() { // each has the table's capacity, unless it is scaled apart
					s.charge("Replicated write capacity", region, "dynamodb", "rwcu", write)
					if okRead {
						s.charge("Replica's read capacity", region, "dynamodb", "rcu", read)
					}
				})
			}
		}
		if _, scaled := s.scalingTarget(); scaled {
			s.assume("capacity as it is set, before any scaling")
		}
	}
	s.meters(
		meter{key: "storage_gb", name: "Storage", service: "dynamodb", sku: "storage"},
		meter{key: "pitr_backup_storage_gb", name: "Backups for any point in time", service: "dynamodb", sku: "pitr"},
		meter{key: "on_demand_backup_storage_gb", name: "Backups on demand", service: "dynamodb", sku: "backup"},
		meter{key: "monthly_data_restored_gb", name: "Data restored", service: "dynamodb", sku: "restore"},
		meter{key: "monthly_streams_read_request_units", name: "Reads of streams", service: "dynamodb", sku: "streams-read"},
	)
}

// scalingTarget finds the autoscaling of a table or service by its resource
// ID, "table/name".
func (s *side) scalingTarget() (view, bool) {
	name, st := s.str("name")
	if st != known {
		return view{}, false
	}
	c := s.x.index.holding("aws_appautoscaling_target", "resource_id", "table/"+name, s.after)
	if c == nil {
		return view{}, false
	}
	return sideView(c, s.after), true
}

var cloudfrontGeos = []string{"us", "europe", "south_africa", "south_america", "japan", "australia", "asia_pacific", "india"}

func awsCloudFront(s *side) {
	some := false
	for _, geo := range cloudfrontGeos {
		out := make([]tier, len(cloudfrontOut))
		for i, t := range cloudfrontOut {
			out[i] = tier{t.upTo, strings.Replace(t.sku, "us/", geo+"/", 1)}
		}
		for _, m := range []meter{
			{key: "monthly_data_transfer_to_internet_gb." + geo, name: "Data to the internet, " + geo, tiers: out},
			{key: "monthly_data_transfer_to_origin_gb." + geo, name: "Data to the origin, " + geo, sku: geo + "/origin"},
			{key: "monthly_http_requests." + geo, name: "HTTP requests, " + geo, sku: geo + "/http"},
			{key: "monthly_https_requests." + geo, name: "HTTPS requests, " + geo, sku: geo + "/https"},
			{key: "monthly_shield_requests." + geo, name: "Origin shield requests, " + geo, sku: geo + "/shield"},
		} {
			if q, ok := s.amount(m.key); ok {
				m.service, some = "cloudfront", true
				s.used(m, q)
			}
		}
	}
	if !some {
		s.byUse("data transfer")
		s.byUse("requests")
	}
	for _, m := range []meter{
		{key: "monthly_invalidation_requests", name: "Invalidations beyond 1,000", tiers: []tier{{"1000", ""}, {"", "invalidation"}}},
		{key: "monthly_encryption_requests", name: "Field level encryption", sku: "encryption"},
		{key: "monthly_log_lines", name: "Real-time logs", sku: "log-lines"},
		{key: "custom_ssl_certificates", name: "Certificates with an address of their own", sku: "dedicated-ip"},
	} {
		if q, ok := s.amount(m.key); ok {
			m.service = "cloudfront"
			s.used(m, q)
		}
	}
}

func awsCodeBuild(s *side) {
	env, _ := s.block("environment")
	typ, st := env.str("compute_type")
	if st != known {
		s.byUse("build minutes")
		return
	}
	system := "linux"
	switch {
	case env.is("type", "WINDOWS_CONTAINER", "WINDOWS_SERVER_2019_CONTAINER", "WINDOWS_SERVER_2022_CONTAINER"):
		system = "windows"
	case env.is("type", "ARM_CONTAINER"):
		system = "arm"
	case env.is("type", "LINUX_GPU_CONTAINER"):
		system = "linux-gpu"
	}
	sku := system + "/" + strings.ReplaceAll(strings.ToLower(strings.TrimPrefix(typ, "BUILD_")), "general1_", "general1.")
	s.meters(meter{key: "monthly_build_mins", name: "Build minutes", service: "codebuild", sku: sku})
}

// The data processing units of Glue's kinds of worker.
var glueWorkers = map[string]string{"G.025X": "0.25", "Standard": "1", "G.1X": "1", "G.2X": "2", "G.4X": "4", "G.8X": "8"}

func awsGlueJob(s *side) {
	hours, ok := s.amount("monthly_hours")
	if !ok {
		s.byUse("running time")
		return
	}
	units, st := s.num("max_capacity")
	if typ, wst := s.str("worker_type"); wst == known {
		n, nst := s.num("number_of_workers")
		each, ok := glueWorkers[typ]
		if nst != known || !ok {
			s.notKnown("number_of_workers")
			return
		}
		units = n.Mul(figure(each))
	} else if st != known {
		units = whole(10)
		s.assume("10 data processing units")
	}
	s.used(meter{name: "Running time", service: "glue", sku: "dpu"}, hours.Mul(units))
}

func awsSSMParameter(s *side) {
	if s.is("tier", "Advanced") {
		s.charge("Advanced parameter", "", "ssm", "parameter-advanced", one())
	}
	if s.word("api_throughput_limit") == "advanced" || s.word("api_throughput_limit") == "higher" {
		s.meters(meter{key: "monthly_api_interactions", name: "API interactions", service: "ssm", sku: "api-advanced"})
	}
}

// perSecond makes a month's number out of one a second.
func (s *side) perSecond(q decimal.Decimal) decimal.Decimal {
	return q.Mul(whole(3600)).Mul(s.x.hours)
}
