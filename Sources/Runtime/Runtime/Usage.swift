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
           update      change the limits of a container
           spec        write a config.json to start from
           features    print what this runtime can do, as JSON

        GLOBAL OPTIONS:
           --root DIR          where states are kept (default /run/gantry/runtime)
           --log FILE          write messages there as well
           --log-format FORMAT text or json (default text)
           --debug             more messages
           --systemd-cgroup    refused: cgroups are made directly
           --rootless VALUE    accepted
           --help, -h
           --version, -v

        COMMAND OPTIONS:
           create  --bundle DIR, -b  --console-socket PATH  --pid-file PATH  --preserve-fds N  --no-pivot
                   --no-new-keyring
           run     those of create, and --detach, -d  --keep
           exec    --process FILE, -p  --detach, -d  --pid-file PATH  --console-socket PATH  --tty, -t  --env, -e
                   --user, -u UID[:GID]  --cwd DIR  --cap, -c NAME  --no-new-privs  --additional-gids, -g GID
                   --preserve-fds N  --ignore-paused
           kill    --all, -a
           delete  --force, -f
           list    --quiet, -q  --format table|json, -f
           ps      --format table|json, -f
           events  --interval SPAN  --stats
           update  --resources FILE|-, -r  --memory  --memory-reservation  --memory-swap  --cpu-quota  --cpu-period
                   --cpu-burst  --cpu-share  --cpu-idle  --cpu-rt-period  --cpu-rt-runtime  --cpuset-cpus
                   --cpuset-mems  --pids-limit  --blkio-weight
           spec    --bundle DIR, -b  --rootless

        """
}
