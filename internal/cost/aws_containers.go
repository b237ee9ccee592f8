package cost

import (
	"strings"

	"github.com/shopspring/decimal"

	"github.com/tidelock/tidelock/planner/tfplan"
)

// supportAsOf is when the ends of support below were looked up. What had ended
// by then costs extra; the estimator has no clock.
const supportAsOf = "2026-08"

// eksSupport says when standard support of a Kubernetes version ends on EKS.
var eksSupport = map[string]string{
	"1.28": "2024-11", "1.29": "2025-03", "1.30": "2025-07", "1.31": "2025-11",
	"1.32": "2026-03", "1.33": "2026-07", "1.34": "2026-12", "1.35": "2027-03",
}

func awsEKSCluster(s *side) {
	version, st := s.str("version")
	policy, _ := s.block("upgrade_policy")
	end, listed := eksSupport[version]
	old := st == known && !listed && len(version) == 4 && version < "1.28"
	switch {
	case (old || listed && end < supportAsOf) && !policy.is("support_type", "STANDARD"):
		s.charge("Control plane", "version "+version+", extended support", "eks", "cluster-extended-support", one())
	default:
		if st != known {
			s.assume("a Kubernetes version in standard support")
		}
		s.charge("Control plane", "standard support", "eks", "cluster", one())
	}
}

// awsECSService bills the tasks of a service on Fargate. On machines of one's
// own a service costs nothing by itself.
func awsECSService(s *side) {
	spot := false
	switch {
	case s.is("launch_type", "FARGATE"):
	case s.is("launch_type", "EC2", "EXTERNAL"):
		return
	default:
		strategies, st := s.blocks("capacity_provider_strategy")
		if st == unknown {
			s.notKnown("capacity_provider_strategy")
			return
		}
		fargate := false
		for _, c := range strategies {
			fargate = fargate || c.is("capacity_provider", "FARGATE", "FARGATE_SPOT")
			spot = spot || c.is("capacity_provider", "FARGATE_SPOT")
		}
		if !fargate && (len(strategies) > 0 || !s.fargateByDefault()) {
			return // the cluster's own machines
		}
	}
	n, st := s.num("desired_count")
	least, scaled := s.leastTasks()
	switch {
	case scaled && (st != known || least.GreaterThan(n)):
		n = least
		s.assume("as many tasks as the autoscaling's minimum")
	case st == unknown:
		s.notKnown("desired_count")
		return
	case st == absent:
		n = decimal.Zero
		s.assume("no tasks, the provider's default for desired_count")
	}
	arn, _ := s.str("task_definition")
	task, _, ok := s.join(arn, taskNames, []string{"aws_ecs_task_definition"}, "task_definition")
	if !ok {
		s.notKnown("task_definition")
		return
	}
	cpu, okCPU := taskSize(task, "cpu", "vcpu")
	memory, okMemory := taskSize(task, "memory", "gb")
	if !okCPU || !okMemory {
		s.notKnown("cpu and memory of the task definition")
		return
	}
	kind, words := "", "Linux"
	if platform, st := task.block("runtime_platform"); st == known {
		if os, _ := platform.str("operating_system_family"); strings.HasPrefix(os, "WINDOWS") {
			kind, words = "windows-", "Windows"
		}
		if platform.is("cpu_architecture", "ARM64") {
			kind, words = kind+"arm-", words+" on Arm"
		}
	}
	if spot {
		words += ", spot: on-demand price as ceiling"
		s.assume("spot capacity costs at most the on-demand price")
	}
	s.charge("Tasks' vCPUs", cpu.String()+" each, "+words, "fargate", kind+"vcpu", n.Mul(cpu))
	s.charge("Tasks' memory", memory.String()+" GB each, "+words, "fargate", kind+"memory", n.Mul(memory))
	if disk, st := task.block("ephemeral_storage"); st == known {
		if size, _ := disk.num("size_in_gib"); size.GreaterThan(whole(20)) {
			s.charge("Tasks' disks", "beyond 20 GB", "fargate", "ephemeral-storage", n.Mul(size.Sub(whole(20))))
		}
	}
}

// leastTasks returns how many tasks the autoscaling of a service keeps at
// least.
func (s *side) leastTasks() (decimal.Decimal, bool) {
	v, ok := s.x.scaledServices(s.after)[s.ch]
	if !ok {
		return decimal.Zero, false
	}
	n, st := v.num("min_capacity")
	if st == known {
		s.bill.joined = append(s.bill.joined, v.value)
	}
	return n, st == known
}

// scaledServices returns what scales services of ECS, by the service: as its ID
// names it, "service/CLUSTER/NAME", or as the configuration refers to it.
func (x *estimation) scaledServices(after bool) map[*tfplan.Change]view {
	i := 0
	if after {
		i = 1
	}
	if x.tasks[i] != nil {
		return x.tasks[i]
	}
	found := map[*tfplan.Change]view{}
	for _, c := range x.index.byType["aws_appautoscaling_target"] {
		v := sideView(c, after)
		if v.value == nil || !v.is("service_namespace", "ecs") {
			continue
		}
		var service *tfplan.Change
		if id, _ := v.value["resource_id"].(string); id != "" {
			parts := strings.Split(id, "/")
			if service = x.index.holding("aws_ecs_service", "name", parts[len(parts)-1], after); service != nil && len(parts) == 3 {
				// Two clusters may have services of one name.
				cluster, _ := sideView(service, after).value["cluster"].(string)
				if cluster = cluster[strings.LastIndexByte(cluster, '/')+1:]; cluster != "" && cluster != parts[1] {
					service = nil
				}
			}
		} else {
			r, m := x.cfg.resource(c)
			service = x.follow(references(r, "resource_id"), m, c.ModuleAddress, c, []string{"aws_ecs_service"}, 0)
		}
		if service != nil {
			found[service] = v
		}
	}
	x.tasks[i] = found
	return found
}

// fargateByDefault reports whether a service that says nothing of where it
// runs does so on Fargate: its tasks can run nowhere else.
func (s *side) fargateByDefault() bool {
	arn, _ := s.str("task_definition")
	task, _, ok := s.join(arn, taskNames, []string{"aws_ecs_task_definition"}, "task_definition")
	if !ok {
		return false
	}
	needs, n, st := task.first("requires_compatibilities")
	if st != known || n != 1 || needs != "FARGATE" {
		return false
	}
	s.assume("Fargate, which is all that its tasks are made for")
	return true
}

// taskNames are the attributes of a task definition that a service may name it
// by.
var taskNames = []string{"arn", "arn_without_revision", "id", "family"}

// taskSize reads a task's CPU or memory, which are 1,024ths ("256") or written
// out ("0.25 vCPU", "2 GB").
func taskSize(task view, key, unit string) (decimal.Decimal, bool) {
	text, st := task.str(key)
	if st == known {
		if number, ok := strings.CutSuffix(strings.ReplaceAll(strings.ToLower(text), " ", ""), unit); ok {
			d, ok := usageNumber(number)
			return d, ok
		}
	}
	d, st := task.num(key)
	return d.Div(whole(1024)), st == known
}

func awsEC2Host(s *side) {
	family, st := s.str("instance_family")
	if st != known {
		typ, ok := s.need(s.view, "instance_type")
		if !ok {
			return
		}
		family, _, _ = strings.Cut(typ, ".")
	}
	s.charge("Dedicated host", family+", on demand", "ec2-host", family, one())
}

func awsMWAA(s *side) {
	class, st := s.str("environment_class")
	if st != known {
		class = "mw1.small"
		s.assume("an environment of mw1.small")
	}
	_, size, _ := strings.Cut(class, ".")
	s.charge("Environment", class, "mwaa", "environment-"+size, one())
	s.meters(
		meter{key: "additional_workers", name: "Additional workers", service: "mwaa", sku: "worker-" + size, hourly: true},
		meter{key: "additional_schedulers", name: "Additional schedulers", service: "mwaa", sku: "scheduler-" + size, hourly: true},
		meter{key: "meta_database_gb", name: "Meta database", service: "mwaa", sku: "database"},
	)
}
