# Behavioural syllables by an autoregressive HMM, one fit a holdout: from the poses that pretraining may see.
rule syllables:
    input:
        manifests=MANIFESTS,
        folds=f"{RESULTS}/folds.csv",
    output:
        table=f"{RESULTS}/syllables/{{variant}}/{{holdout}}.npz",
        report=f"{RESULTS}/syllables/{{variant}}/{{holdout}}.json",
    log:
        f"{RESULTS}/logs/syllables/{{variant}}/{{holdout}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/syllables/{{variant}}/{{holdout}}.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=grows(3000),
        runtime=grows(60),
    params:
        config=lambda wildcards: plan.variant_sections(wildcards.variant, *SYLLABLES),
        code=plan.code("syllables"),
    shell:
        "python -m neural_action syllables --config {params.config:q} --folds {input.folds:q} --holdout {wildcards.holdout:q}"
        " --threads {threads} --output {output.table:q} --report {output.report:q} {input.manifests:q} 2> {log:q}"
