#!/usr/bin/env bash
# A real SLURM of one node with one stand-in GPU, for tests on a throw-away Debian machine, as root:
#   slurm.sh install | start | stop
# No systemd, no cgroups (memory limits are not enforced), no accounting.
set -euo pipefail

CONFIG=/etc/slurm
RUN=/run/slurm

install_packages() {
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
        slurm-wlm slurm-client slurmctld slurmd munge > /dev/null
}

start_munge() {
    install -d -o munge -g munge -m 0700 /etc/munge /var/log/munge /var/lib/munge
    install -d -o munge -g munge -m 0755 /run/munge
    if [ ! -s /etc/munge/munge.key ]; then
        head -c 1024 /dev/urandom > /etc/munge/munge.key
    fi
    chown munge:munge /etc/munge/munge.key
    chmod 400 /etc/munge/munge.key
    if ! munge -n > /dev/null 2>&1; then
        runuser -u munge -- /usr/sbin/munged
    fi
}

write_configuration() {
    local host memory
    host=$(hostname -s)
    memory=$(slurmd -C | sed -n 's/.*RealMemory=\([0-9]*\).*/\1/p')
    install -d "$CONFIG" "$RUN" /var/spool/slurmctld /var/spool/slurmd /var/log/slurm
    grep -qw "$host" /etc/hosts || echo "127.0.0.1 $host" >> /etc/hosts
    # A GPU has to be a character device: the null device stands in.
    [ -c /dev/stand-in-gpu ] || mknod /dev/stand-in-gpu c 1 3
    echo "NodeName=$host Name=gpu File=/dev/stand-in-gpu" > "$CONFIG/gres.conf"
    cat > "$CONFIG/slurm.conf" << END
ClusterName=test
SlurmctldHost=$host(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
CryptoType=crypto/munge
StateSaveLocation=/var/spool/slurmctld
SlurmdSpoolDir=/var/spool/slurmd
SlurmctldPidFile=$RUN/slurmctld.pid
SlurmdPidFile=$RUN/slurmd.pid
SlurmctldLogFile=/var/log/slurm/slurmctld.log
SlurmdLogFile=/var/log/slurm/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SchedulerType=sched/backfill
SchedulerParameters=sched_interval=3,bf_interval=3,batch_sched_delay=0
MinJobAge=600
ReturnToService=2
GresTypes=gpu
DefMemPerCPU=500
NodeName=$host NodeAddr=127.0.0.1 CPUs=$(nproc) RealMemory=$memory Gres=gpu:1 State=UNKNOWN
PartitionName=main Nodes=$host Default=YES MaxTime=INFINITE State=UP OverSubscribe=NO
END
}

start() {
    start_munge
    write_configuration
    # Without what an earlier controller remembers, such as jobs that were killed with it.
    slurmctld -c
    slurmd -c
    for _ in $(seq 30); do
        if [ "$(sinfo -h -o %t)" = idle ]; then
            sinfo
            return
        fi
        scontrol update nodename="$(hostname -s)" state=resume 2> /dev/null || true
        sleep 1
    done
    echo "slurm.sh: the node did not become idle" >&2
    sinfo >&2
    tail -n 5 /var/log/slurm/*.log >&2
    exit 1
}

stop() {
    for name in slurmd slurmctld; do
        if [ -s "$RUN/$name.pid" ]; then
            kill "$(cat "$RUN/$name.pid")" 2> /dev/null || true
        fi
    done
}

case "${1:-}" in
    install) install_packages ;;
    start) start ;;
    stop) stop ;;
    *)
        echo "usage: slurm.sh install | start | stop" >&2
        exit 2
        ;;
esac
