package stack_test

import (
	"io/fs"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// item is one recommendation of the CIS Docker Benchmark 1.6.0, by its number
// there and in our words.
type item struct {
	id, title string
	image     bool // it is about the image
	holds     func(inspection) bool
	breaks    func(*inspection) // takes just this away
}

func (i item) String() string { return i.id + " " + i.title }

// concerns: an item about images is for those that we make.
func (i item) concerns(found inspection) bool { return found.Ours || !i.image }

// benchmark has the items that Docker's own answers can show. Left out are those
// about the host and the daemon (parts 1 to 3, 5.1, 5.25), about habits (4.2,
// 4.4, 4.5, 4.11, 4.12, 5.7, 5.9, 5.23, 5.24), and those that want AppArmor or
// SELinux on the host (5.2, 5.3).
//
// 5.15 asks for on-failure:5. We deviate on purpose: Docker starts such a
// container neither after a reboot nor after a sixth failure, and a report that
// silently stays away is worse than a container that goes on trying.
var benchmark = []item{
	{"4.1", "the container has a user that is not root", false,
		func(i inspection) bool {
			user, _, _ := strings.Cut(i.Container.Config.User, ":")
			return user != "" && user != "root" && user != "0"
		},
		func(i *inspection) { i.Container.Config.User = "" }},
	{"4.3", "no packages are installed that are not needed", true,
		func(i inspection) bool {
			return !slices.ContainsFunc(i.Files, func(f imageFile) bool { return packaged.MatchString(f.Name) })
		},
		func(i *inspection) { i.Files = append(i.Files, imageFile{"/bin/busybox", 0o755}) }},
	{"4.6", "the image has a health check", true,
		func(i inspection) bool { return i.Image.Config.Healthcheck.works() },
		func(i *inspection) { i.Image.Config.Healthcheck = nil }},
	{"4.7", "no instruction only updates the lists of packages", true,
		func(i inspection) bool {
			return !slices.ContainsFunc(i.Instructions, func(s string) bool { return update.MatchString(s) && !install.MatchString(s) })
		},
		func(i *inspection) { i.Instructions = append(i.Instructions, "RUN apt-get -q update") }},
	{"4.8", "no file is setuid or setgid", true,
		func(i inspection) bool {
			return !slices.ContainsFunc(i.Files, func(f imageFile) bool { return fs.FileMode(f.Mode)&(fs.ModeSetuid|fs.ModeSetgid) != 0 })
		},
		func(i *inspection) { i.Files[0].Mode |= uint32(fs.ModeSetgid) }},
	{"4.9", "files come by COPY, not by ADD", true,
		func(i inspection) bool { return !slices.ContainsFunc(i.Instructions, add.MatchString) },
		func(i *inspection) { i.Instructions = append(i.Instructions, "ADD https://example.org/x /x") }},
	{"4.10", "no instruction holds a secret", true,
		func(i inspection) bool {
			return !slices.ContainsFunc(i.Instructions, secretInstruction.MatchString) && !slices.ContainsFunc(i.Image.Config.Env, secretVariable.MatchString)
		},
		func(i *inspection) { i.Instructions = append(i.Instructions, "ENV TELEGRAM_BOT_TOKEN=1:x") }},

	{"5.4", "capabilities are taken away", false,
		func(i inspection) bool {
			return slices.Equal(i.Container.HostConfig.CapDrop, []string{"ALL"}) && len(i.Container.HostConfig.CapAdd) == 0
		},
		func(i *inspection) { i.Container.HostConfig.CapDrop = nil }},
	{"5.5", "the container is not privileged", false,
		func(i inspection) bool { return !i.Container.HostConfig.Privileged },
		func(i *inspection) { i.Container.HostConfig.Privileged = true }},
	{"5.6", "no folder of the host's system is mounted", false,
		func(i inspection) bool {
			return !i.mounts(func(m mounted) bool { return m.Type == "bind" && systemFolder.MatchString(m.Source) })
		},
		func(i *inspection) { i.mount("/etc", "rprivate") }},
	{"5.8", "no port under 1024 is taken from the host", false,
		func(i inspection) bool {
			return !i.publishes(func(b binding) bool {
				port, err := strconv.Atoi(b.HostPort)
				return err != nil || port < 1024
			})
		},
		func(i *inspection) { i.publish(binding{"127.0.0.1", "80"}) }},
	{"5.10", "the host's network is not shared", false,
		func(i inspection) bool { return i.Container.HostConfig.NetworkMode != "host" },
		func(i *inspection) { i.Container.HostConfig.NetworkMode = "host" }},
	{"5.11", "memory is limited", false,
		func(i inspection) bool { return i.Container.HostConfig.Memory > 0 },
		func(i *inspection) { i.Container.HostConfig.Memory = 0 }},
	{"5.12", "the share of the processors is set", false,
		func(i inspection) bool {
			return i.Container.HostConfig.NanoCPUs > 0 || i.Container.HostConfig.CPUShares > 0
		},
		func(i *inspection) { i.Container.HostConfig.NanoCPUs = 0 }},
	{"5.13", "the root filesystem is read-only", false,
		func(i inspection) bool { return i.Container.HostConfig.ReadonlyRootfs },
		func(i *inspection) { i.Container.HostConfig.ReadonlyRootfs = false }},
	{"5.14", "ports listen on one interface of the host", false,
		func(i inspection) bool {
			return !i.publishes(func(b binding) bool {
				address, err := netip.ParseAddr(b.HostIP)
				return err != nil || address.IsUnspecified()
			})
		},
		func(i *inspection) { i.publish(binding{"0.0.0.0", "8000"}) }},
	{"5.15", "it comes back by itself, unless it was stopped (on purpose not on-failure:5)", false,
		func(i inspection) bool { return i.Container.HostConfig.RestartPolicy.Name == "unless-stopped" },
		func(i *inspection) { i.Container.HostConfig.RestartPolicy.Name = "no" }},
	{"5.16", "the host's processes are not shared", false,
		func(i inspection) bool { return i.Container.HostConfig.PidMode != "host" },
		func(i *inspection) { i.Container.HostConfig.PidMode = "host" }},
	{"5.17", "the host's IPC is not shared", false,
		func(i inspection) bool { return i.Container.HostConfig.IpcMode != "host" },
		func(i *inspection) { i.Container.HostConfig.IpcMode = "host" }},
	{"5.20", "mounts are not propagated to the host", false,
		func(i inspection) bool {
			return !i.mounts(func(m mounted) bool { return strings.HasSuffix(m.Propagation, "shared") })
		},
		func(i *inspection) { i.mount("/srv/ccm", "rshared") }},
	{"5.21", "the host's UTS is not shared", false,
		func(i inspection) bool { return i.Container.HostConfig.UTSMode != "host" },
		func(i *inspection) { i.Container.HostConfig.UTSMode = "host" }},
	{"5.22", "seccomp is not switched off", false,
		func(i inspection) bool { return !i.option(regexp.MustCompile(`^seccomp[=:]unconfined`)) },
		func(i *inspection) {
			i.Container.HostConfig.SecurityOpt = append(i.Container.HostConfig.SecurityOpt, "seccomp=unconfined")
		}},
	{"5.26", "no process gets new privileges", false,
		func(i inspection) bool { return i.option(regexp.MustCompile(`^no-new-privileges([=:]true)?$`)) },
		func(i *inspection) { i.Container.HostConfig.SecurityOpt = nil }},
	{"5.27", "health is checked as it runs", false,
		func(i inspection) bool {
			return i.Container.Config.Healthcheck.works() && i.Container.State.Health != nil && i.Container.State.Health.Status == "healthy"
		},
		func(i *inspection) { i.Container.Config.Healthcheck.Test = []string{"NONE"} }},
	{"5.28", "what runs is the image that its tag names now", false,
		func(i inspection) bool { return i.Container.Image == i.Image.ID },
		func(i *inspection) { i.Container.Image = "sha256:0" }},
	{"5.29", "the number of processes is limited", false,
		func(i inspection) bool {
			return i.Container.HostConfig.PidsLimit != nil && *i.Container.HostConfig.PidsLimit > 0
		},
		func(i *inspection) { i.Container.HostConfig.PidsLimit = nil }},
	{"5.30", "it is not on Docker's default bridge", false,
		func(i inspection) bool {
			_, bridged := i.Container.NetworkSettings.Networks["bridge"]
			return !bridged && len(i.Container.NetworkSettings.Networks) > 0
		},
		func(i *inspection) { i.Container.NetworkSettings.Networks["bridge"] = struct{}{} }},
	{"5.31", "the host's users are not shared", false,
		func(i inspection) bool { return i.Container.HostConfig.UsernsMode != "host" },
		func(i *inspection) { i.Container.HostConfig.UsernsMode = "host" }},
	{"5.32", "Docker's socket is not mounted", false,
		func(i inspection) bool {
			return !i.mounts(func(m mounted) bool { return strings.HasSuffix(m.Source, "docker.sock") })
		},
		func(i *inspection) { i.mount("/run/docker.sock", "rprivate") }},
}

const secretName = `(?i)(PASSWORD|PASSWD|SECRET|TOKEN|API_?KEY|CREDENTIAL)\w*[= ]+\S`

var (
	packaged          = regexp.MustCompile(`^/(bin|sbin|lib|lib64|usr|opt|var/lib)/`)
	update            = regexp.MustCompile(`\b(apt|apt-get|apk|yum|dnf)\b.*\bup(date|grade)\b`)
	install           = regexp.MustCompile(`\b(install|add)\b`)
	add               = regexp.MustCompile(`(?i)^\s*(/bin/sh -c #\(nop\)\s+)?ADD\s`)
	secretVariable    = regexp.MustCompile(secretName)
	secretInstruction = regexp.MustCompile(`(?i)^\s*(ENV|ARG|LABEL|RUN)\b.*` + secretName)
	systemFolder      = regexp.MustCompile(`^/$|^/(boot|dev|etc|lib|proc|sys|usr)(/|$)`)
)

// works: there is a check, and it is not switched off.
func (p *probeOf) works() bool { return p != nil && len(p.Test) > 1 }

func (i inspection) mounts(match func(mounted) bool) bool {
	return slices.ContainsFunc(i.Container.Mounts, match)
}

// mount adds a folder of the host.
func (i *inspection) mount(source, propagation string) {
	i.Container.Mounts = append(i.Container.Mounts, mounted{"bind", source, "/mnt", propagation})
}

func (i inspection) publishes(match func(binding) bool) bool {
	for _, bindings := range i.Container.HostConfig.PortBindings {
		if slices.ContainsFunc(bindings, match) {
			return true
		}
	}
	return false
}

// publish adds a port of the host.
func (i *inspection) publish(b binding) {
	if i.Container.HostConfig.PortBindings == nil {
		i.Container.HostConfig.PortBindings = map[string][]binding{}
	}
	i.Container.HostConfig.PortBindings["9999/tcp"] = []binding{b}
}

func (i inspection) option(form *regexp.Regexp) bool {
	return slices.ContainsFunc(i.Container.HostConfig.SecurityOpt, form.MatchString)
}
