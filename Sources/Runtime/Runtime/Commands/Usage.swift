enum Usage {
    static let text = """
        NAME:
           gantry-runtime - create and run containers by the OCI runtime specification

        USAGE:
           gantry-runtime [global options] command [command options] [arguments...]

        COMMANDS:
           create      create a container: its process waits for start
           start       run the program of a created container
           run         create and start a container, and wait for it
           exec        run a further program in a container
           state       print a container's state as JSON
           kill        send a signal (default TERM) to a container's first process
           delete      remove what is left of a container
           pause       stop all processes of a container
           resume      let them go on
           list        list the containers of this root
           ps          list the processes of a container
           events      print what a container uses, and when its memory ran out, as JSON lines
           checkpoint  save a running container's state by CRIU
           restore     make a container from such a state
           update      change the limits of a container
           spec        write a config.json to start from
           features    print what this runtime can do, as JSON

        GLOBAL OPTIONS:
           --root DIR          where states are kept (default /run/gantry/runtime)
           --log FILE          write messages there as well
           --log-format FORMAT text or json (default text)
           --debug             more messages
           --systemd-cgroup    take cgroups from systemd, by paths slice:prefix:name
           --rootless VALUE    whether a container may do without a cgroup: auto (an ordinary user's), true or false
           --criu PATH         the program for checkpoint and restore (default criu)
           --help, -h
           --version, -v

        COMMAND OPTIONS:
           create  --bundle DIR, -b  --console-socket PATH  --pid-file PATH  --preserve-fds N  --no-pivot
                   --no-new-keyring
           run     those of create, and --detach, -d  --keep
           exec    --process FILE, -p  --detach, -d  --pid-file PATH  --console-socket PATH  --tty, -t  --env, -e
                   --user, -u UID[:GID]  --cwd DIR  --cap, -c NAME  --no-new-privs  --additional-gids, -g GID
                   --preserve-fds N  --ignore-paused  --cgroup [CONTROLLER:]PATH  --hold N  --leave-helper
           kill    --all, -a
           delete  --force, -f
           list    --quiet, -q  --format table|json, -f
           ps      --format table|json, -f
           events  --interval SPAN  --stats
           checkpoint  --image-path DIR  --work-path DIR  --parent-path DIR  --leave-running  --pre-dump
                   --tcp-established  --tcp-skip-in-flight  --link-remap  --ext-unix-sk  --shell-job  --file-locks
                   --lazy-pages  --status-fd N  --page-server ADDRESS:PORT  --manage-cgroups-mode MODE
                   --empty-ns network  --auto-dedup
           restore those of run and checkpoint's  --image-path  --work-path  --tcp-established  --ext-unix-sk
                   --shell-job  --file-locks  --lazy-pages  --manage-cgroups-mode  --empty-ns  --auto-dedup, and
                   --lsm-profile TYPE:NAME  --lsm-mount-context CONTEXT
           update  --resources FILE|-, -r  --memory  --memory-reservation  --memory-swap  --cpu-quota  --cpu-period
                   --cpu-burst  --cpu-share  --cpu-idle  --cpu-rt-period  --cpu-rt-runtime  --cpuset-cpus
                   --cpuset-mems  --pids-limit  --blkio-weight  --l3-cache-schema  --mem-bw-schema
           spec    --bundle DIR, -b  --rootless

        """
}
