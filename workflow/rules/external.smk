# Rows made by other packages, each in its own environment. Enabled by a configuration such as config/cebra.yaml.
if plan.external:

    rule arrays:
        input:
            dataset=DATASET,
            splits=SPLIT_TABLE,
        output:
            f"{RESULTS}/arrays/{{run}}.npz",
        log:
            f"{RESULTS}/logs/arrays/{{run}}.log",
        benchmark:
            f"{RESULTS}/benchmarks/arrays/{{run}}.tsv"
        conda:
            ENVIRONMENT
        threads: 1
        resources:
            mem_mb=grows(3000),
            runtime=grows(20),
        params:
            dataset=dataset_folder,
            config=plan.depends_on.arrays,
            code=plan.code("arrays"),
            run=lambda wildcards: plan.run_options(wildcards.run),
        shell:
            "python -m neural_action arrays --config {params.config:q} --dataset {params.dataset:q}"
            " --splits {input.splits:q} {params.run:q} --output {output:q} 2> {log:q}"

    rule cebra:
        input:
            script=workflow.source_path("../scripts/cebra_frames.py"),
            arrays=f"{RESULTS}/arrays/{{run}}.npz",
        output:
            f"{RUN}/frames.npz",
        log:
            f"{RESULTS}/logs/cebra/{{method}}/{{run}}/seed-{{seed}}.log",
        benchmark:
            f"{RESULTS}/benchmarks/cebra/{{method}}/{{run}}/seed-{{seed}}.tsv"
        wildcard_constraints:
            method="|".join(plan.external),
        conda:
            "../../envs/cebra.yaml"
        threads: 1
        resources:
            mem_mb=grows(4000),
            runtime=grows(120),
            gpu=plan.gpus,
        params:
            options=lambda wildcards: plan.depends_on.external(wildcards.method),
        shell:
            "python {input.script:q} --options {params.options:q} --arrays {input.arrays:q} --seed {wildcards.seed}"
            " --threads {threads} --output {output:q} 2> {log:q}"
