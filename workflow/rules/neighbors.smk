# Pose index per animal and the swap table, one job a holdout: hidden trials are neither queries nor targets.
# A row that changes what the table depends on has a variant of its own.
rule neighbors:
    input:
        manifests=MANIFESTS,
        folds=f"{RESULTS}/folds.csv",
    output:
        table=f"{RESULTS}/neighbors/{{variant}}/{{holdout}}.npz",
        report=f"{RESULTS}/neighbors/{{variant}}/{{holdout}}.json",
    log:
        f"{RESULTS}/logs/neighbors/{{variant}}/{{holdout}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/neighbors/{{variant}}/{{holdout}}.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=grows(3000),
        runtime=grows(60),
    params:
        config=lambda wildcards: plan.variant_sections(wildcards.variant, *NEIGHBORS),
        code=plan.code("neighbors"),
    shell:
        "python -m neural_action neighbors --config {params.config:q} --folds {input.folds:q} --holdout {wildcards.holdout:q}"
        " --threads {threads} --output {output.table:q} --report {output.report:q} {input.manifests:q} 2> {log:q}"
