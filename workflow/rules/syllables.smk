# Fits behavioural syllables with an autoregressive HMM once for each run, to the poses that pretraining may see.
rule syllables:
    input:
        dataset=DATASET,
        splits=SPLIT_TABLE,
    output:
        table=f"{RESULTS}/syllables/{{variant}}/{{run}}.npz",
        report=f"{RESULTS}/syllables/{{variant}}/{{run}}.json",
    log:
        f"{RESULTS}/logs/syllables/{{variant}}/{{run}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/syllables/{{variant}}/{{run}}.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=grows(3000),
        runtime=grows(60),
    params:
        dataset=dataset_folder,
        config=lambda wildcards: plan.depends_on.variant_sections(
            wildcards.variant, *SYLLABLES
        ),
        code=plan.code("syllables"),
        run=lambda wildcards: plan.run_options(wildcards.run),
    shell:
        "python -m neural_action syllables --config {params.config:q} --dataset {params.dataset:q} --splits {input.splits:q} {params.run:q}"
        " --threads {threads} --output {output.table:q} --report {output.report:q} 2> {log:q}"
