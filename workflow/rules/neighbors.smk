# Pose index per animal and the swap table, one job a holdout: hidden trials are neither queries nor targets.
rule neighbors:
    input:
        manifests=MANIFESTS,
        folds=f"{RESULTS}/folds.csv",
    output:
        table=f"{RESULTS}/neighbors/{{holdout}}.npz",
        report=f"{RESULTS}/neighbors/{{holdout}}.json",
    log:
        f"{RESULTS}/logs/neighbors/{{holdout}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/neighbors/{{holdout}}.tsv"
    conda:
        "../../envs/neural-action.yaml"
    threads: 1
    resources:
        mem_mb=3000,
        runtime=60,
    params:
        config=plan.sections(
            "neighbors", "clips.behavior_stride", "clips.pose_normalisation"
        ),
        code=plan.code("neighbors"),
    shell:
        "python -m neural_action neighbors --config {params.config:q} --folds {input.folds:q} --holdout {wildcards.holdout:q}"
        " --threads {threads} --output {output.table:q} --report {output.report:q} {input.manifests:q} 2> {log:q}"
